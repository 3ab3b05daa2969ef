#include "daemon/control_priority.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {
namespace {

// The kernel adds a second to the soft limit with every signal; the handler sets it back to this. Written once, before
// the handler is installed.
std::atomic<rlim_t> real_time_limit_us{RLIM_INFINITY};

// Raw calls only: it may have interrupted anything. The kernel sends SIGXCPU to the thread that has overrun, unless
// that blocks it (check_thread_timers in kernel/time/posix-cpu-timers.c).
void Demote(int) {
  const int error = errno;
  const sched_param ordinary = {0};
  syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &ordinary);
  const rlimit limit = {real_time_limit_us.load(std::memory_order_relaxed), RLIM_INFINITY};
  syscall(SYS_prlimit64, 0, RLIMIT_RTTIME, &limit, nullptr);
  static constexpr char kLine[] =
      "muster: warning: a thread of control has run without a pause for longer than it may at a real-time priority; it "
      "goes "
      "on at an ordinary one\n";
  [[maybe_unused]] const ssize_t done = write(STDERR_FILENO, kLine, sizeof(kLine) - 1);
  errno = error;
}

absl::Status LimitRealTime(rlim_t microseconds) {
  const rlimit limit = {microseconds, RLIM_INFINITY};
  if (setrlimit(RLIMIT_RTTIME, &limit) != 0) return ErrnoStatus(errno, "set RLIMIT_RTTIME");
  return absl::OkStatus();
}

const char* PolicyName(int policy) {
  switch (policy & ~SCHED_RESET_ON_FORK) {
    case SCHED_OTHER:
      return "SCHED_OTHER";
    case SCHED_FIFO:
      return "SCHED_FIFO";
    case SCHED_RR:
      return "SCHED_RR";
    case SCHED_BATCH:
      return "SCHED_BATCH";
    case SCHED_IDLE:
      return "SCHED_IDLE";
    default:
      return "unknown";
  }
}

}  // namespace

absl::Status RaiseControlPriority(int priority) {
  sched_param parameter = {};
  parameter.sched_priority = priority;
  // Without SCHED_RESET_ON_FORK, which would reset new threads too; sched(7).
  if (sched_setscheduler(0, SCHED_FIFO, &parameter) != 0) {
    return ErrnoStatus(errno, absl::StrCat("set SCHED_FIFO ", priority, " for the daemon"));
  }
  return absl::OkStatus();
}

absl::Status GuardAgainstRealTimeLoops(absl::Duration longest) {
  const rlim_t microseconds = static_cast<rlim_t>(absl::ToInt64Microseconds(longest));
  real_time_limit_us.store(microseconds, std::memory_order_relaxed);
  struct sigaction action = {};
  action.sa_handler = Demote;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  if (sigaction(SIGXCPU, &action, nullptr) != 0) return ErrnoStatus(errno, "handle SIGXCPU");
  return LimitRealTime(microseconds);
}

absl::Status LiftRealTimeLimit() { return LimitRealTime(RLIM_INFINITY); }

std::string DescribePolicy() {
  const int policy = sched_getscheduler(0);
  if (policy < 0) return "unknown";
  sched_param parameter = {};
  sched_getparam(0, &parameter);
  if (parameter.sched_priority > 0) return absl::StrCat(PolicyName(policy), " ", parameter.sched_priority);
  return absl::StrCat(PolicyName(policy), " nice ", getpriority(PRIO_PROCESS, 0));
}

}  // namespace muster
