// Takes another scheduling class at every iteration: the class switch path.
#include <sched.h>
#include <sys/resource.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/core/work_type.h"
#include "worker/parts/sched_class.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

class PolicyChurnStep final : public Step {
 public:
  PolicyChurnStep(uint64_t spin_iters, uint32_t max_rt_priority)
      : spin_iters_(spin_iters), max_rt_priority_(max_rt_priority) {}

  // Leaves the class that it found.
  ~PolicyChurnStep() override {
    if (first_.ok()) (void)SetSchedAttributes(*first_);
  }

  StepResult Run(Meter& meter) override {
    if (classes_.empty()) Begin(meter);
    meter.SpinBurst(spin_iters_);
    const absl::Status taken = SetSchedAttributes(classes_[next_]);
    if (!taken.ok()) meter.SetSetupError(arena::kSetPolicy, taken.message());
    next_ = (next_ + 1) % classes_.size();
    YieldSampled(meter);
    return StepResult::kContinue;
  }

 private:
  // The real-time classes join in when a probe of one succeeds, SCHED_IDLE where it can be left again.
  void Begin(Meter& meter) {
    first_ = GetSchedAttributes();
    classes_ = {OrdinaryAttributes(SCHED_OTHER), OrdinaryAttributes(SCHED_BATCH)};
    const absl::Status probe = ProbeRealTime();
    const bool stays_idle = !(probe.ok() || MayRaiseItselfToItsNice() || (max_rt_priority_ == 0 && MayRunRealTime()));
    if (!stays_idle) classes_.push_back(OrdinaryAttributes(SCHED_IDLE));
    if (probe.ok()) {
      classes_.push_back(FifoAttributes(1));
      classes_.push_back(RealTimeAttributes(SCHED_RR, 1));
      return;
    }
    meter.SetSetupError(
        arena::kSetPolicy,
        absl::StrCat(stays_idle ? "without SCHED_IDLE, which it could not leave; " : "", probe.message()));
  }

  absl::Status ProbeRealTime() const {
    if (max_rt_priority_ != 0) return SetSchedAttributes(FifoAttributes(1));
    return absl::ResourceExhaustedError("priority 1 is above the limit for workers, 0");
  }

  // What the kernel asks of those without CAP_SYS_NICE who leave SCHED_IDLE: setrlimit(2).
  static bool MayRaiseItselfToItsNice() {
    rlimit limit = {};
    return getrlimit(RLIMIT_NICE, &limit) == 0 &&
           limit.rlim_cur >= static_cast<rlim_t>(20 - getpriority(PRIO_PROCESS, 0));
  }

  const uint64_t spin_iters_;
  const uint32_t max_rt_priority_;
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
        .needs = {{.need = kRealTimeNeed, .met = MayRunRealTime(), .otherwise = "leaves FIFO and RR out, and IDLE"}}};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    return std::make_unique<PolicyChurnStep>(work.policy_churn().spin_iters(), place.max_rt_priority);
  }
};

MUSTER_WORK_TYPE(kPolicyChurn, PolicyChurnType);

}  // namespace
}  // namespace muster
