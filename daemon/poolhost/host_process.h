// The process of a pool host, as its owner sees it.
#ifndef MUSTER_DAEMON_POOLHOST_HOST_PROCESS_H_
#define MUSTER_DAEMON_POOLHOST_HOST_PROCESS_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "base/pidfd.h"
#include "base/unique_fd.h"

namespace muster {

// Has been reaped when it is destroyed, or is logged and left. Thread-safe.
class HostProcess {
 public:
  virtual ~HostProcess() = default;

  virtual pid_t pid() const = 0;
  // For poll(2): readable when it has ended. Valid while this object lives.
  virtual int death_fd() const = 0;
  virtual absl::Status Kill() = 0;
  // Waits and reaps; once it has, returns the same end again. DEADLINE_EXCEEDED: it still runs.
  virtual absl::StatusOr<ProcessEnd> Reap(Deadline deadline) = 0;
  // CPU time that it has used so far, the last known once it has been reaped.
  virtual uint64_t CpuTimeNs() = 0;
  // A copy of its descriptor number `fd`: pidfd_getfd(2).
  virtual absl::StatusOr<UniqueFd> CopyDescriptor(int fd) = 0;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_HOST_PROCESS_H_
