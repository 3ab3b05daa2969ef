// Spins, then yields: a CPU hog that offers its CPU at every iteration.
#include <sched.h>

#include "worker/core/work_type.h"
#include "worker/meter/meter.h"

namespace muster {
namespace {

class MixedStep final : public Step {
 public:
  StepResult Run(Meter& meter) override {
    meter.SpinBurst(1024);
    sched_yield();
    return StepResult::kContinue;
  }
};

class MixedType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Spins and then yields: load that gives way at every iteration.", .units_per_iteration = "1024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work&, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<MixedStep>();
  }
};

MUSTER_WORK_TYPE(kMixed, MixedType);

}  // namespace
}  // namespace muster
