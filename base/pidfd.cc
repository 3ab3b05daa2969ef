#include "base/pidfd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/status_macros.h"

namespace muster {

absl::StatusOr<Pidfd> Pidfd::Open(pid_t pid) {
  if (pid <= 0) return absl::InvalidArgumentError(absl::StrCat("pidfd_open of pid ", pid, ": not a process id"));
  // The kernel makes pidfds close-on-exec; pidfd_open(2).
  UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("pidfd_open of pid ", pid));
  return Pidfd(std::move(fd));
}

absl::Status Pidfd::Signal(int signal_number) const {
  if (syscall(SYS_pidfd_send_signal, fd_.get(), signal_number, nullptr, 0) != 0) {
    return ErrnoStatus(errno, absl::StrCat("send signal ", signal_number, " through a pidfd"));
  }
  return absl::OkStatus();
}

absl::Status Pidfd::WaitEnd(Deadline deadline) const {
  while (true) {
    pollfd waiting{fd_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, deadline.PollTimeoutMs());
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "poll a pidfd");
    if (ready > 0 && (waiting.revents & POLLNVAL) != 0) return ErrnoStatus(EBADF, "poll a pidfd");
    if (ready > 0) return absl::OkStatus();
    if (deadline.Expired()) return absl::DeadlineExceededError("the process has not ended in time");
  }
}

absl::StatusOr<ProcessEnd> Pidfd::Reap(Deadline deadline) const {
  RETURN_IF_ERROR(WaitEnd(deadline));
  while (true) {
    siginfo_t info{};
    // The poll above also wakes for a leader whose threads live on in older kernels, hence WNOHANG and another look.
    const int done = waitid(P_PIDFD, fd_.get(), &info, WEXITED | WNOHANG);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return ErrnoStatus(errno, "reap a child through its pidfd");
    if (info.si_pid == 0) return absl::DeadlineExceededError("the process has ended but cannot be reaped yet");
    if (info.si_code == CLD_EXITED) return ProcessEnd{info.si_status, 0};
    return ProcessEnd{-1, info.si_status};
  }
}

}  // namespace muster
