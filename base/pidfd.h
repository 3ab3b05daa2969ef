// Processes by descriptor: waiting and signalling that cannot hit a stranger.
#ifndef MUSTER_BASE_PIDFD_H_
#define MUSTER_BASE_PIDFD_H_

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "base/unique_fd.h"

namespace muster {

// How a process ended: one of the two is set.
struct ProcessEnd {
  // Exit code; -1 when a signal ended it.
  int exit_code = -1;
  // Signal number; 0 when it exited.
  int signal = 0;

  bool ok() const { return exit_code == 0; }
};

// Owns a pidfd; the destructor closes it and does nothing to the process. Move-only. Thread-compatible; Signal may be
// called while another thread waits.
class Pidfd {
 public:
  Pidfd() = default;

  // `pid` must be positive, and must not be able to be reaped by anyone else meanwhile (a child of the caller).
  // NOT_FOUND: no such process.
  static absl::StatusOr<Pidfd> Open(pid_t pid);

  bool valid() const { return fd_.valid(); }
  // For poll(2): readable when the process has ended. Stays owned by this object.
  int fd() const { return fd_.get(); }

  // NOT_FOUND: it has ended and been reaped. A zombie takes signals in silence.
  absl::Status Signal(int signal_number) const;

  // Returns OK when the process has ended, reaped or not; DEADLINE_EXCEEDED otherwise. Also for processes that are not
  // children.
  absl::Status WaitEnd(Deadline deadline) const;

  // Waits and reaps; only the parent may call it, and only once. DEADLINE_EXCEEDED: it still runs, and has not been
  // reaped.
  absl::StatusOr<ProcessEnd> Reap(Deadline deadline) const;

 private:
  explicit Pidfd(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace muster

#endif  // MUSTER_BASE_PIDFD_H_
