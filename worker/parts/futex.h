// Waiting on futex words that the members of a group instance share.
#ifndef MUSTER_WORKER_PARTS_FUTEX_H_
#define MUSTER_WORKER_PARTS_FUTEX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "worker/arena/gate.h"
#include "worker/core/blocking.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"

namespace muster {

// The object of type T at `offset` of an instance's shared memory, which the type asked for and which began as zeros.
template <typename T>
T* SharedAt(const Plumbing& plumbing, size_t offset = 0) {
  return reinterpret_cast<T*>(plumbing.memory + offset);
}

// Waits until the word differs from `value`; the wait is no gap. False: the pool stops.
inline bool WaitWanted(Meter& meter, const std::atomic<uint32_t>& word, uint32_t value) {
  const uint64_t before_ns = MonotonicNs();
  if (!FutexWaitWhile(meter, word, value)) {
    meter.EndCutWait(before_ns);
    return false;
  }
  meter.EndWait(before_ns, MonotonicNs());
  return true;
}

// The same; the wait is a wake sample.
inline bool WaitSampled(Meter& meter, const std::atomic<uint32_t>& word, uint32_t value) {
  const uint64_t before_ns = MonotonicNs();
  if (!FutexWaitWhile(meter, word, value)) {
    meter.EndCutWait(before_ns);
    return false;
  }
  const uint64_t now_ns = MonotonicNs();
  meter.WakeSample(now_ns - before_ns);
  meter.EndWait(before_ns, now_ns);
  return true;
}

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_FUTEX_H_
