// musterd as the child of init.
#ifndef MUSTER_TOOLS_VM_INIT_DAEMON_H_
#define MUSTER_TOOLS_VM_INIT_DAEMON_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace muster::guest {

struct Daemon {
  // -1: it could not be started.
  pid_t pid = -1;
  // Readable when musterd has said that it serves (its --ready-fd), at its end of file when it never will.
  UniqueFd ready;
};

// Starts /bin/musterd with these arguments and what init itself decides.
Daemon StartDaemon(const std::vector<std::string>& arguments);

}  // namespace muster::guest

#endif  // MUSTER_TOOLS_VM_INIT_DAEMON_H_
