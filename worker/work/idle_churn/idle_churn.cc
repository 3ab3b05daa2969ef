// Short bursts and short sleeps: entry into and exit from idle, and the timer's wake-up.
#include <sys/prctl.h>

#include "worker/core/work_type.h"
#include "worker/parts/params.h"
#include "worker/parts/sleep.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

class IdleChurnStep final : public Step {
 public:
  IdleChurnStep(uint64_t burst_ns, uint64_t sleep_ns, bool precise)
      : burst_ns_(burst_ns), sleep_ns_(sleep_ns), set_slack_(precise) {}

  StepResult Run(Meter& meter) override {
    if (set_slack_) prctl(PR_SET_TIMERSLACK, 1);
    set_slack_ = false;
    SpinUntil(meter, 256, MonotonicNs() + burst_ns_);
    const uint64_t began_ns = MonotonicNs();
    const uint64_t due_ns = began_ns + sleep_ns_;
    if (!SleepWanted(meter, began_ns, due_ns)) return StepResult::kAbandon;
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns > due_ns ? now_ns - due_ns : 0);
    return StepResult::kContinue;
  }

 private:
  const uint64_t burst_ns_;
  const uint64_t sleep_ns_;
  bool set_slack_;
};

class IdleChurnType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Short bursts and short sleeps: idle entry, idle exit, and what waking costs beyond the sleep.",
            .units_per_iteration = "k * 256 (as many batches as the burst has room for)"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    const v1::IdleChurn& params = work.idle_churn();
    return std::make_unique<IdleChurnStep>(DurationNs(params.burst_duration()), DurationNs(params.sleep_duration()),
                                           params.precise_timing());
  }
};

MUSTER_WORK_TYPE(kIdleChurn, IdleChurnType);

}  // namespace
}  // namespace muster
