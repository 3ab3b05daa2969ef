// Pairs that spin on the two hardware threads of a core, where the affinity SmtSiblingPair puts them: what a busy
// sibling costs.
#include "worker/core/work_type.h"
#include "worker/parts/cost_clock.h"

namespace muster {
namespace {

class SmtSiblingSpinStep final : public Step {
 public:
  StepResult Run(Meter& meter) override {
    cost_.Begin();
    meter.SpinBurst(1024);
    cost_.End(meter);
    return StepResult::kContinue;
  }

 private:
  CostClock cost_;
};

class SmtSiblingSpinType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Pairs that spin; with the affinity SmtSiblingPair, on the two threads of one core.",
            .units_per_iteration = "1024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kCostSamples; }
  uint32_t GroupSize(const v1::Work&) const override { return 2; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work&, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<SmtSiblingSpinStep>();
  }
};

MUSTER_WORK_TYPE(kSmtSiblingSpin, SmtSiblingSpinType);

}  // namespace
}  // namespace muster
