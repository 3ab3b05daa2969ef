#include "worker/host/tasks.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/errno_status.h"

namespace muster::host {
namespace {

// Between two looks at a task that a tracer holds, in case the signal went elsewhere.
constexpr long kTracedWaitNs = 10'000'000;
// For the end of a task that was killed.
constexpr uint64_t kKillAgainNs = 100'000'000;

uint64_t Ns(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(time.tv_usec) * 1'000u;
}

}  // namespace

bool PollUntil(int fd, uint64_t deadline_ns) {
  while (true) {
    const uint64_t now_ns = MonotonicNs();
    const uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    const timespec timeout = ToTimespec(left_ns);
    pollfd wait = {fd, POLLIN, 0};
    const int ready = ppoll(&wait, 1, &timeout, nullptr);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

void Tasks::Add(pid_t pid, WorkerRange workers) {
  by_pid_[pid] = tasks_.size();
  tasks_.push_back({pid, workers});
  ++unreaped_;
}

pid_t Tasks::PidOfWorker(uint32_t worker) const {
  const Task& task = tasks_[TaskOfWorker(worker)];
  return task.reaped ? 0 : task.pid;
}

bool Tasks::HasEnded(size_t index) {
  Task& task = tasks_[index];
  if (task.ended || task.reaped) return true;
  siginfo_t info = {};
  task.ended = waitid(P_PID, task.pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid == task.pid;
  return task.ended;
}

bool Tasks::AnyEnded() const {
  siginfo_t info = {};
  return unreaped_ < tasks_.size() || waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 ||
         info.si_pid > 0;
}

absl::StatusOr<UniqueFd> Tasks::OpenPidfd(size_t task) const {
  UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, tasks_[task].pid, 0)));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("pidfd_open of process ", tasks_[task].pid));
  return fd;
}

void Tasks::Signal(size_t index, int signal_number) const {
  const Task& task = tasks_[index];
  if (!task.reaped && task.pid > 0) kill(task.pid, signal_number);
}

void Tasks::SignalThread(size_t index, pid_t tid, int signal_number) const {
  const Task& task = tasks_[index];
  if (!task.reaped && task.pid > 0 && tid > 0) syscall(SYS_tgkill, task.pid, tid, signal_number);
}

std::optional<size_t> Tasks::FindEnded() {
  while (true) {
    siginfo_t info = {};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 || info.si_pid <= 0) return std::nullopt;
    const auto found = by_pid_.find(info.si_pid);
    if (found != by_pid_.end()) {
      tasks_[found->second].ended = true;
      return found->second;
    }
    if (waitpid(info.si_pid, nullptr, WNOHANG | __WALL) != info.si_pid) return std::nullopt;
  }
}

void Tasks::MarkLate() {
  for (size_t task = 0; task < tasks_.size(); ++task) tasks_[task].late = !HasEnded(task);
}

void Tasks::Kill(size_t index) const {
  const Task& task = tasks_[index];
  if (task.reaped || task.pid <= 1) return;
  kill(-task.pid, SIGKILL);
  // It may not have made its group yet, or may have left it. One that leads it still has been hit with the others.
  if (getpgid(task.pid) != task.pid) kill(task.pid, SIGKILL);
}

void Tasks::KillAll() const {
  for (size_t task = 0; task < tasks_.size(); ++task) Kill(task);
}

bool Tasks::Reap(size_t index, uint64_t deadline_ns) {
  Task& task = tasks_[index];
  if (task.reaped) return true;
  int status = 0;
  rusage usage = {};
  pid_t got = 0;
  do {
    got = wait4(task.pid, &status, WNOHANG | __WALL, &usage);
  } while (got == 0 && AwaitChange(task, deadline_ns));
  const int wait_errno = got < 0 ? errno : 0;
  if (got == 0) {
    Record(task, arena::Exit::kStuck, 0, nullptr);
    return false;
  }
  task.reaped = true;
  --unreaped_;
  by_pid_.erase(task.pid);
  if (got < 0) {
    Record(task, arena::Exit::kWaitFailed, wait_errno, nullptr);
  } else if (task.late) {
    Record(task, arena::Exit::kTimedOut, 0, &usage);
  } else if (WIFSIGNALED(status)) {
    Record(task, arena::Exit::kSignaled, WTERMSIG(status), &usage);
  } else {
    Record(task, arena::Exit::kExited, WEXITSTATUS(status), &usage);
  }
  return true;
}

void Tasks::ReapAll(uint64_t deadline_ns) {
  for (size_t task = 0; task < tasks_.size(); ++task) Reap(task, deadline_ns);
}

bool Tasks::AwaitChange(const Task& task, uint64_t deadline_ns) const {
  // Opened for the wait only: one descriptor per worker would make every later clone and exit slower.
  const UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, task.pid, 0)));
  if (!fd.valid() || MonotonicNs() >= deadline_ns) return false;
  if (!PollUntil(fd.get(), MonotonicNs())) {
    if (PollUntil(fd.get(), std::min(deadline_ns, MonotonicNs() + kKillAgainNs))) return true;
    // It may have changed its group back and forth while Kill went after it.
    kill(task.pid, SIGKILL);
    return PollUntil(fd.get(), deadline_ns);
  }
  // It has ended, and a tracer holds it: ptrace(2). Its parent hears of it when the tracer lets go.
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const timespec timeout = {0, kTracedWaitNs};
  sigtimedwait(&child, nullptr, &timeout);
  return true;
}

void Tasks::Record(const Task& task, arena::Exit exit, int value, const rusage* usage) const {
  for (uint32_t worker = task.workers.first; worker < task.workers.first + task.workers.count; ++worker) {
    arena::HostEntry& entry = arena_->host(worker);
    // A process that was stuck and is reaped after all stays the one that was late.
    if (entry.exit.load(std::memory_order_relaxed) != arena::Exit::kNone) continue;
    entry.exit_value = value;
    entry.reaped_at_ns = MonotonicNs();
    if (usage != nullptr && task.workers.count == 1) {
      entry.cpu_time_ns = Ns(usage->ru_utime) + Ns(usage->ru_stime);
      entry.voluntary_switches = usage->ru_nvcsw;
      entry.involuntary_switches = usage->ru_nivcsw;
      entry.max_rss_bytes = static_cast<uint64_t>(usage->ru_maxrss) * 1024;
    }
    entry.exit.store(exit, std::memory_order_release);
  }
}

}  // namespace muster::host
