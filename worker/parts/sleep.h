// Sleeping as a part of the work.
#ifndef MUSTER_WORKER_PARTS_SLEEP_H_
#define MUSTER_WORKER_PARTS_SLEEP_H_

#include <cstdint>

#include "base/clock.h"
#include "worker/core/blocking.h"
#include "worker/meter/meter.h"

namespace muster {

// Sleeps for `ns`; the whole time slept is a wake sample, and the gap starts anew behind it. False: the pool stops.
inline bool SleepSampled(Meter& meter, uint64_t ns) {
  const uint64_t before_ns = MonotonicNs();
  if (!SleepUntil(meter, before_ns + ns)) return false;
  const uint64_t now_ns = MonotonicNs();
  meter.WakeSample(now_ns - before_ns);
  meter.RestartGap(now_ns);
  return true;
}

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_SLEEP_H_
