#include "daemon/poolhost/stray_reaper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/make_thread.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "daemon/poolhost/children.h"

namespace muster {
namespace {

// SIGCHLD is not lost while every thread blocks it; this bounds the harm of one that does not.
constexpr int kLookAgainMs = 1000;

absl::StatusOr<UniqueFd> ReceiveSigchld() {
  // With SIG_IGN, inherited from who started us, the kernel would reap children itself.
  signal(SIGCHLD, SIG_DFL);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  const int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  if (error != 0) return ErrnoStatus(error, "block SIGCHLD");
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "signalfd for SIGCHLD");
  return fd;
}

struct StrayEnd {
  pid_t pid;
  ProcessEnd end;
};

}  // namespace

class StrayReaper::Impl {
 public:
  Impl(UniqueFd signals, UniqueFd quit) : signals_(std::move(signals)), quit_(std::move(quit)) {}

  ~Impl() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t done = write(quit_.get(), &one, sizeof(one));
    if (thread_.joinable()) thread_.join();
  }

  // Called once, first.
  absl::Status StartReaping() {
    ASSIGN_OR_RETURN(thread_, MakeThread("the reaper of strays", [this] { Run(); }));
    return absl::OkStatus();
  }

  // Making a child and noting it is one step to the sweep.
  absl::StatusOr<SpawnedProcess> Spawn(const SpawnOptions& options) {
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(SpawnedProcess child, SpawnProcess(options));
    owned_.insert(child.pid);
    return child;
  }

  // So are reaping it and forgetting its number, which may be a stranger's from then on.
  absl::StatusOr<ProcessEnd> Reap(const SpawnedProcess& child, Deadline deadline) {
    RETURN_IF_ERROR(child.pidfd.WaitEnd(deadline));
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(const ProcessEnd end, child.pidfd.Reap(deadline));
    owned_.erase(child.pid);
    return end;
  }

  void Adopt(pid_t child) {
    MutexLock lock(&mutex_);
    owned_.insert(child);
  }

  void SetListener(StrayListener* listener) {
    MutexLock lock(&mutex_);
    listener_ = listener;
    while (telling_) told_.WaitUntil(&mutex_, SteadyDeadline(absl::InfiniteDuration()));
  }

 private:
  void Run() {
    while (true) {
      pollfd waiting[] = {{signals_.get(), POLLIN, 0}, {quit_.get(), POLLIN, 0}};
      poll(waiting, 2, kLookAgainMs);
      if ((waiting[1].revents & POLLIN) != 0) return;
      signalfd_siginfo info;
      while (read(signals_.get(), &info, sizeof(info)) > 0) {
      }
      Tell(Sweep());
    }
  }

  // Reaps the strangers that have ended, kills the others: their deaths bring the next sweep. What they leave behind
  // becomes our child with their death, and is found then.
  std::vector<StrayEnd> Sweep() {
    std::vector<StrayEnd> ends;
    MutexLock lock(&mutex_);
    for (const pid_t pid : ListChildren("/proc")) {
      if (owned_.count(pid) != 0) continue;
      const auto end = ReapIfEnded(pid);
      if (end.has_value()) {
        ends.push_back({pid, *end});
      } else if (pid > 0 && kill(pid, SIGKILL) != 0) {
        // Its number is its own until we reap it, and only we do.
        LogWarning(absl::StrCat("kill of stray process ", pid, ": ", ErrnoName(errno)));
      }
    }
    return ends;
  }

  void Tell(const std::vector<StrayEnd>& ends) {
    if (ends.empty()) return;
    StrayListener* listener;
    {
      MutexLock lock(&mutex_);
      listener = listener_;
      telling_ = listener != nullptr;
    }
    if (listener == nullptr) return;
    for (const StrayEnd& stray : ends) listener->OnStrayReaped(stray.pid, stray.end);
    MutexLock lock(&mutex_);
    telling_ = false;
    told_.NotifyAll();
  }

  const UniqueFd signals_;
  const UniqueFd quit_;
  Mutex mutex_;
  CondVar told_;
  std::set<pid_t> owned_ ABSL_GUARDED_BY(mutex_);
  StrayListener* listener_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool telling_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<StrayReaper>> StrayReaper::Start() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return ErrnoStatus(errno, "prctl(PR_SET_CHILD_SUBREAPER)");
  ASSIGN_OR_RETURN(UniqueFd signals, ReceiveSigchld());
  UniqueFd quit(eventfd(0, EFD_CLOEXEC));
  if (!quit.valid()) return ErrnoStatus(errno, "eventfd of the stray reaper");
  auto impl = std::make_unique<Impl>(std::move(signals), std::move(quit));
  RETURN_IF_ERROR(impl->StartReaping());
  return std::unique_ptr<StrayReaper>(new StrayReaper(std::move(impl)));
}

StrayReaper::StrayReaper(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StrayReaper::~StrayReaper() = default;

absl::StatusOr<SpawnedProcess> StrayReaper::Spawn(const SpawnOptions& options) { return impl_->Spawn(options); }

absl::StatusOr<ProcessEnd> StrayReaper::Reap(const SpawnedProcess& child, Deadline deadline) {
  return impl_->Reap(child, deadline);
}

void StrayReaper::Adopt(pid_t child) { impl_->Adopt(child); }
void StrayReaper::SetListener(StrayListener* listener) { impl_->SetListener(listener); }

}  // namespace muster
