// Takes another scheduling class at every iteration: the class switch path.
#include <sched.h>

#include <vector>

#include "worker/core/work_type.h"
#include "worker/parts/sched_class.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

class PolicyChurnStep final : public Step {
 public:
  explicit PolicyChurnStep(uint64_t spin_iters) : spin_iters_(spin_iters) {}

  // Leaves the class that it found.
  ~PolicyChurnStep() override {
    if (first_.ok()) (void)SetSchedAttributes(*first_);
  }

  StepResult Run(Meter& meter) override {
    if (classes_.empty()) Begin(meter);
    meter.SpinBurst(spin_iters_);
    (void)SetSchedAttributes(classes_[next_]);
    next_ = (next_ + 1) % classes_.size();
    YieldSampled(meter);
    return StepResult::kContinue;
  }

 private:
  // The real-time classes join in when a probe of one succeeds.
  void Begin(Meter& meter) {
    first_ = GetSchedAttributes();
    classes_ = {OrdinaryAttributes(SCHED_OTHER), OrdinaryAttributes(SCHED_BATCH), OrdinaryAttributes(SCHED_IDLE)};
    const absl::Status probe = SetSchedAttributes(FifoAttributes(1));
    if (!probe.ok()) {
      meter.SetSetupError(arena::kSetPolicy, probe.message());
      return;
    }
    classes_.push_back(FifoAttributes(1));
    classes_.push_back(RealTimeAttributes(SCHED_RR, 1));
  }

  const uint64_t spin_iters_;
  absl::StatusOr<SchedAttr> first_ = absl::UnknownError("not read yet");
  std::vector<SchedAttr> classes_;
  size_t next_ = 0;
};

class PolicyChurnType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {
        .summary = "Cycles its own scheduling class through OTHER, BATCH, IDLE, FIFO and RR: the class switch path.",
        .units_per_iteration = "1024",
        .needs = {{.need = kRealTimeNeed, .met = MayRunRealTime(), .otherwise = "leaves FIFO and RR out"}}};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<PolicyChurnStep>(work.policy_churn().spin_iters());
  }
};

MUSTER_WORK_TYPE(kPolicyChurn, PolicyChurnType);

}  // namespace
}  // namespace muster
