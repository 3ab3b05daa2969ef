// The wall cost of iterations.
#ifndef MUSTER_WORKER_PARTS_COST_CLOCK_H_
#define MUSTER_WORKER_PARTS_COST_CLOCK_H_

#include <cstdint>

#include "base/clock.h"
#include "worker/meter/meter.h"

namespace muster {

// One clock reading per iteration: the cost is the time since the previous reading, so that no preemption falls between
// two samples. Owned by a step.
class CostClock {
 public:
  // Before the first iteration's work; later calls do nothing.
  void Begin() {
    if (last_ns_ == 0) last_ns_ = MonotonicNs();
  }

  // After an iteration's work: offers its cost.
  void End(Meter& meter) {
    const uint64_t now_ns = MonotonicNs();
    meter.CostSample(now_ns - last_ns_);
    last_ns_ = now_ns;
  }

 private:
  uint64_t last_ns_ = 0;
};

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_COST_CLOCK_H_
