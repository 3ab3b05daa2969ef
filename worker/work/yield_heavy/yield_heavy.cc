// One unit and one sched_yield per iteration: the scheduler's yield path with next to no work between two dispatches.
#include <sched.h>

#include "worker/core/work_type.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

// Timing a yield costs two clock readings, a fifth of the yield itself; one in so many is timed.
constexpr uint32_t kTimedEvery = 32;

class YieldHeavyStep final : public Step {
 public:
  StepResult Run(Meter& meter) override {
    meter.AddUnits(1);
    if (--until_timed_ != 0) {
      sched_yield();
      return StepResult::kContinue;
    }
    until_timed_ = kTimedEvery;
    YieldSampled(meter);
    return StepResult::kContinue;
  }

 private:
  uint32_t until_timed_ = kTimedEvery;
};

class YieldHeavyType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Yields the CPU after every unit: the yield path, dispatch after dispatch.",
            .units_per_iteration = "1"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work&, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<YieldHeavyStep>();
  }
};

MUSTER_WORK_TYPE(kYieldHeavy, YieldHeavyType);

}  // namespace
}  // namespace muster
