// A lock in shared memory.
#ifndef MUSTER_WORKER_PARTS_FUTEX_LOCK_H_
#define MUSTER_WORKER_PARTS_FUTEX_LOCK_H_

#include <atomic>
#include <cstdint>

#include "worker/parts/futex.h"

namespace muster {

// Lives in zeroed shared memory. Neither call nor clock when nobody waits.
class FutexLock {
 public:
  // Takes the lock; every wait in the kernel is a wake sample. False: the pool stops, and the caller does not hold it.
  bool Lock(Meter& meter) {
    uint32_t seen = kFree;
    if (word_.compare_exchange_strong(seen, kHeld, std::memory_order_acquire)) return true;
    // Whoever has waited takes it as contended: there may be others that wait.
    while (word_.exchange(kContended, std::memory_order_acquire) != kFree) {
      if (!WaitSampled(meter, word_, kContended)) return false;
    }
    return true;
  }

  // The same without samples, for threads that are not the meter's.
  bool LockUnsampled(const Meter& meter) {
    uint32_t seen = kFree;
    if (word_.compare_exchange_strong(seen, kHeld, std::memory_order_acquire)) return true;
    while (word_.exchange(kContended, std::memory_order_acquire) != kFree) {
      if (!FutexWaitWhile(meter, word_, kContended)) return false;
    }
    return true;
  }

  // Needs the lock held by the caller.
  void Unlock() {
    if (word_.exchange(kFree, std::memory_order_release) == kContended) arena::FutexWake(&word_, 1);
  }

  bool IsHeld() const { return word_.load(std::memory_order_relaxed) != kFree; }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kContended = 2;

  std::atomic<uint32_t> word_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_FUTEX_LOCK_H_
