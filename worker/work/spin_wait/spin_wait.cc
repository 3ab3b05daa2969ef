// SpinWait: the baseline CPU hog. One iteration is 1,024 spin steps.
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"

namespace muster {
namespace {

constexpr uint64_t kSteps = 1'024;
// Between two looks at the stop word, some 3 us: of many spinners that a CPU has to stop, each keeps those behind it
// waiting for half of it.
constexpr uint64_t kStepsPerLook = 128;

class SpinWaitStep : public Step {
 public:
  StepResult Run(Meter& meter) override {
    for (uint64_t steps = 0; steps < kSteps; steps += kStepsPerLook) {
      if (meter.stopping()) return StepResult::kAbandon;
      meter.SpinBurst(kStepsPerLook);
    }
    return StepResult::kContinue;
  }
};

class SpinWaitType : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    WorkTypeDescription description;
    description.summary = "Baseline CPU hog: never sleeps, never yields, leaves the CPU only when it is preempted.";
    description.units_per_iteration = "1024";
    return description;
  }

  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }

  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work&, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<SpinWaitStep>();
  }
};

MUSTER_WORK_TYPE(kSpinWait, SpinWaitType);

}  // namespace
}  // namespace muster
