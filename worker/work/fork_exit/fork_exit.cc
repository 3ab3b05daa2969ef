// Forks a child that exits at once, and waits for it: wake-up of new tasks, and their end.
#include <sched.h>

#include "base/clock.h"
#include "worker/core/blocking.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/child.h"

namespace muster {
namespace {

class ForkExitStep final : public Step {
 public:
  StepResult Run(Meter& meter) override {
    meter.AddUnits(1);
    const pid_t child = ForkIdleChild();
    if (child < 0) {
      meter.SetNoopReason("fork failed: no child to wait for (a limit on processes?)");
      sched_yield();
      return StepResult::kContinue;
    }
    int status = 0;
    const uint64_t before_ns = MonotonicNs();
    if (!WaitForChild(meter, child, &status)) {
      meter.EndCutWait(before_ns);
      return StepResult::kAbandon;
    }
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(before_ns, now_ns);
    return StepResult::kContinue;
  }
};

class ForkExitType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Forks a child that exits, and waits: new tasks' first wake-up, exit, and reaping.",
            .units_per_iteration = "1"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work&, const WorkerPlace& place, Plumbing&) const override {
    if (!place.in_thread) ForkOnlyWhatIdleChildrenNeed();
    return std::make_unique<ForkExitStep>();
  }
};

MUSTER_WORK_TYPE(kForkExit, ForkExitType);

}  // namespace
}  // namespace muster
