// Spinning for a time, and yielding with a sample.
#ifndef MUSTER_WORKER_PARTS_SPIN_H_
#define MUSTER_WORKER_PARTS_SPIN_H_

#include <sched.h>

#include <cstdint>

#include "base/clock.h"
#include "worker/meter/meter.h"

namespace muster {

// Spins in batches of `batch` steps until the monotonic clock reads `until_ns` or the pool stops.
inline void SpinUntil(Meter& meter, uint64_t batch, uint64_t until_ns) {
  while (!meter.stopping()) {
    const uint64_t now_ns = MonotonicNs();
    meter.MarkRunning(now_ns);
    if (now_ns >= until_ns) return;
    meter.SpinBurst(batch);
  }
}

// One sched_yield; its duration is a wake sample.
inline void YieldSampled(Meter& meter) {
  const uint64_t before = MonotonicNs();
  sched_yield();
  meter.WakeSample(MonotonicNs() - before);
}

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_SPIN_H_
