// A lock in shared memory whose holder inherits the priority of those that wait.
#ifndef MUSTER_WORKER_PARTS_PI_LOCK_H_
#define MUSTER_WORKER_PARTS_PI_LOCK_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "worker/meter/meter.h"

namespace muster {

// Lives in zeroed shared memory; futex(2), "Priority-inheritance futexes". The word holds the holder's kernel thread
// id.
class PiLock {
 public:
  // `tid` is the caller's. A wait is no gap. kStopped: the pool stops, and the caller does not hold it.
  enum class Outcome { kLocked, kStopped, kFailed };
  Outcome Lock(Meter& meter, pid_t tid);

  // Needs the lock held by `tid`, the caller.
  void Unlock(pid_t tid);

  bool IsHeld() const { return word_.load(std::memory_order_relaxed) != 0; }

 private:
  Outcome Wait(const Meter& meter);

  std::atomic<uint32_t> word_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_PI_LOCK_H_
