#include "daemon/poolhost/owned_host_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster {

OwnedHostProcess::~OwnedHostProcess() {
  {
    MutexLock lock(&mutex_);
    if (end_.has_value()) return;
  }
  const absl::Status killed = Kill();
  const auto end = Reap(Deadline::After(absl::Seconds(1)));
  if (!end.ok()) {
    LogWarning(
        absl::StrCat("pool host ", child_.pid, " is left behind: ", end.status().message(), "; ", killed.message()));
  }
}

absl::Status OwnedHostProcess::Kill() {
  const absl::Status killed = child_.pidfd.Signal(SIGKILL);
  return absl::IsNotFound(killed) ? absl::OkStatus() : killed;
}

absl::StatusOr<ProcessEnd> OwnedHostProcess::Reap(Deadline deadline) {
  RETURN_IF_ERROR(child_.pidfd.WaitEnd(deadline));
  MutexLock lock(&mutex_);
  if (end_.has_value()) return *end_;
  ReadCpuTime();
  ASSIGN_OR_RETURN(end_, reaper_->Reap(child_, deadline));
  return *end_;
}

void OwnedHostProcess::ReadCpuTime() { cpu_time_ns_ = ProcessCpuNs(child_.pid).value_or(cpu_time_ns_); }

uint64_t OwnedHostProcess::CpuTimeNs() {
  MutexLock lock(&mutex_);
  // Its number is its own until it is reaped, which needs the lock.
  if (!end_.has_value()) ReadCpuTime();
  return cpu_time_ns_;
}

absl::StatusOr<UniqueFd> OwnedHostProcess::CopyDescriptor(int fd) {
  UniqueFd copy(static_cast<int>(syscall(SYS_pidfd_getfd, child_.pidfd.fd(), fd, 0)));
  if (!copy.valid()) {
    return ErrnoStatus(errno, absl::StrCat("pidfd_getfd of descriptor ", fd, " of pool host ", child_.pid));
  }
  return copy;
}

}  // namespace muster
