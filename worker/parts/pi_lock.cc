#include "worker/parts/pi_lock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"

namespace muster {
namespace {

// These waits go on after a signal, so only their timeout ends them for a stop.
constexpr uint64_t kSliceNs = 50'000'000;
// Of linux/futex.h since Linux 5.14: its timeout is of CLOCK_MONOTONIC, which nobody can set back.
constexpr int kFutexLockPi2 = 13;

bool WaitSlice(std::atomic<uint32_t>* word) {
  timespec until = ToTimespec(MonotonicNs() + kSliceNs);
  if (syscall(SYS_futex, word, kFutexLockPi2, 0, &until, nullptr, 0) == 0) return true;
  if (errno != ENOSYS) return false;
  until = ToTimespec(ClockNs(CLOCK_REALTIME) + kSliceNs);
  return syscall(SYS_futex, word, FUTEX_LOCK_PI, 0, &until, nullptr, 0) == 0;
}

}  // namespace

PiLock::Outcome PiLock::Lock(Meter& meter, pid_t tid) {
  uint32_t free = 0;
  if (word_.compare_exchange_strong(free, static_cast<uint32_t>(tid), std::memory_order_acquire))
    return Outcome::kLocked;
  const uint64_t before_ns = MonotonicNs();
  const Outcome outcome = Wait(meter);
  if (outcome == Outcome::kLocked) {
    meter.EndWait(before_ns, MonotonicNs());
  } else {
    meter.EndCutWait(before_ns);
  }
  return outcome;
}

PiLock::Outcome PiLock::Wait(const Meter& meter) {
  while (!meter.stopping()) {
    if (WaitSlice(&word_)) {
      // The kernel hands the lock over, which the language does not know of: this and its counterpart in Unlock say it.
      word_.load(std::memory_order_acquire);
      return Outcome::kLocked;
    }
    // EAGAIN: the holder is just ending; EINTR: a kernel that does report signals.
    if (errno != ETIMEDOUT && errno != EAGAIN && errno != EINTR) return Outcome::kFailed;
  }
  return Outcome::kStopped;
}

void PiLock::Unlock(pid_t tid) {
  uint32_t own = static_cast<uint32_t>(tid);
  if (word_.compare_exchange_strong(own, 0, std::memory_order_release)) return;
  word_.fetch_or(0, std::memory_order_release);
  syscall(SYS_futex, &word_, FUTEX_UNLOCK_PI, 0, nullptr, nullptr, 0);
}

}  // namespace muster
