#include "daemon/poolhost/fake_host_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "base/errno_status.h"

namespace muster {

FakeProcess::FakeProcess(pid_t pid) : pid_(pid), death_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void FakeProcess::End(ProcessEnd end) {
  MutexLock lock(&mutex_);
  if (ended_) return;
  ended_ = true;
  end_ = end;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = write(death_.get(), &one, sizeof(one));
}

void FakeProcess::OnKill(std::function<void()> callback) {
  MutexLock lock(&mutex_);
  on_kill_ = std::move(callback);
}

void FakeProcess::OnCopy(std::function<void()> callback) {
  MutexLock lock(&mutex_);
  on_copy_ = std::move(callback);
}

void FakeProcess::Stick() {
  MutexLock lock(&mutex_);
  stuck_ = true;
}

bool FakeProcess::reaped() const {
  MutexLock lock(&mutex_);
  return reaped_;
}

bool FakeProcess::killed() const {
  MutexLock lock(&mutex_);
  return killed_;
}

FakeHostProcess::~FakeHostProcess() {
  if (process_->reaped()) return;
  Kill().IgnoreError();
  Reap(Deadline::After(absl::Milliseconds(10))).IgnoreError();
}

absl::Status FakeHostProcess::Kill() {
  std::function<void()> on_kill;
  {
    MutexLock lock(&process_->mutex_);
    process_->killed_ = true;
    if (process_->stuck_) return absl::OkStatus();
    on_kill = std::exchange(process_->on_kill_, nullptr);
  }
  if (on_kill) on_kill();
  process_->End({-1, SIGKILL});
  return absl::OkStatus();
}

absl::StatusOr<ProcessEnd> FakeHostProcess::Reap(Deadline deadline) {
  pollfd waiting = {process_->death_.get(), POLLIN, 0};
  if (poll(&waiting, 1, deadline.PollTimeoutMs()) <= 0) return absl::DeadlineExceededError("it still runs");
  MutexLock lock(&process_->mutex_);
  process_->reaped_ = true;
  return process_->end_;
}

absl::StatusOr<UniqueFd> FakeHostProcess::CopyDescriptor(int fd) {
  std::function<void()> on_copy;
  {
    MutexLock lock(&process_->mutex_);
    on_copy = process_->on_copy_;
  }
  if (on_copy) on_copy();
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return ErrnoStatus(errno, "duplicate a descriptor of the test");
  return copy;
}

}  // namespace muster
