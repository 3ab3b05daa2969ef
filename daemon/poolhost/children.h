// The children of this process.
#ifndef MUSTER_DAEMON_POOLHOST_CHILDREN_H_
#define MUSTER_DAEMON_POOLHOST_CHILDREN_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/pidfd.h"

namespace muster {

// Children of all threads of the caller, zombies included. `procfs` is "/proc" outside tests. From task/*/children
// where the kernel has them (CONFIG_PROC_CHILDREN), otherwise from the parent numbers of all processes.
std::vector<pid_t> ListChildren(const std::string& procfs);

// Reaps a child if it has ended; nothing when it still runs or is no child. The caller must be sure that nobody else
// reaps it.
std::optional<ProcessEnd> ReapIfEnded(pid_t child);

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_CHILDREN_H_
