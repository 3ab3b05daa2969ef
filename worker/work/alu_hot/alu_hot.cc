// Chains of multiplications, scalar or SIMD: load of high instruction-level parallelism, and of high power where
// vectors are wide.
#include "absl/strings/str_cat.h"
#include "worker/core/work_type.h"
#include "worker/parts/alu.h"
#include "worker/parts/cost_clock.h"

namespace muster {
namespace {

class AluHotStep final : public Step {
 public:
  explicit AluHotStep(AluFunction chains) : chains_(chains) {}

  StepResult Run(Meter& meter) override {
    cost_.Begin();
    chains_(state_, 1024);
    meter.AddUnits(1024);
    cost_.End(meter);
    return StepResult::kContinue;
  }

 private:
  const AluFunction chains_;
  AluState state_;
  CostClock cost_;
};

class AluHotType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    WorkTypeDescription description{
        .summary = "Four independent multiplication chains, scalar or in vectors: high IPC, high power.",
        .units_per_iteration = "1024"};
    const std::string widest = v1::AluWidth_Name(LowerAluWidth(v1::WIDEST));
    for (const v1::AluWidth width : {v1::VEC256, v1::VEC512, v1::AMX}) {
      description.needs.push_back(
          {.need = absl::StrCat("a CPU that runs ", v1::AluWidth_Name(width), ", for that width"),
           .met = CpuHasAluWidth(width),
           .otherwise = absl::StrCat("lowered to ", widest)});
    }
    return description;
  }
  uint32_t Streams(const v1::Work&) const override { return kCostSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<AluHotStep>(AluChains(LowerAluWidth(work.alu_hot().width())));
  }
};

MUSTER_WORK_TYPE(kAluHot, AluHotType);

}  // namespace
}  // namespace muster
