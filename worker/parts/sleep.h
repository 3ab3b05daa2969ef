// Sleeping as a part of the work.
#ifndef MUSTER_WORKER_PARTS_SLEEP_H_
#define MUSTER_WORKER_PARTS_SLEEP_H_

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "worker/core/blocking.h"
#include "worker/meter/meter.h"

namespace muster {

// Sleeps from now, began_ns, to due_ns: no gap, but what the wake-up is late. False: the pool stops.
inline bool SleepWanted(Meter& meter, uint64_t began_ns, uint64_t due_ns) {
  if (!SleepUntil(meter, due_ns)) {
    meter.EndCutWait(began_ns, due_ns);
    return false;
  }
  meter.EndWait(began_ns, due_ns);
  return true;
}

// The same for `ns`.
inline bool SleepWantedFor(Meter& meter, uint64_t ns) {
  const uint64_t before_ns = MonotonicNs();
  return SleepWanted(meter, before_ns, before_ns + std::min(ns, UINT64_MAX - before_ns));
}

// The same; the whole time slept is a wake sample.
inline bool SleepSampled(Meter& meter, uint64_t ns) {
  const uint64_t before_ns = MonotonicNs();
  if (!SleepWanted(meter, before_ns, before_ns + ns)) return false;
  meter.WakeSample(MonotonicNs() - before_ns);
  return true;
}

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_SLEEP_H_
