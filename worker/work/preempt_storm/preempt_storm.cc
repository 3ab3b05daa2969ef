// A real-time task that wakes again and again and preempts the spinners on its CPU.
#include "worker/core/work_type.h"
#include "worker/parts/sched_class.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

class PreempterStep final : public Step {
 public:
  PreempterStep(uint64_t burst_iters, uint64_t sleep_ns, uint32_t max_rt_priority)
      : burst_iters_(burst_iters), sleep_ns_(sleep_ns), max_rt_priority_(max_rt_priority) {}

  StepResult Run(Meter& meter) override {
    if (!began_) {
      began_ = true;
      TakeSchedClass(meter, FifoAttributes(1), max_rt_priority_);
    }
    meter.SpinBurst(burst_iters_);
    if (!SleepWantedFor(meter, sleep_ns_)) return StepResult::kAbandon;
    return StepResult::kContinue;
  }

 private:
  const uint64_t burst_iters_;
  const uint64_t sleep_ns_;
  const uint32_t max_rt_priority_;
  bool began_ = false;
};

class PreemptedStep final : public Step {
 public:
  explicit PreemptedStep(uint64_t burst_iters) : burst_iters_(burst_iters) {}

  StepResult Run(Meter& meter) override {
    meter.SpinBurst(burst_iters_);
    return StepResult::kContinue;
  }

 private:
  const uint64_t burst_iters_;
};

class PreemptStormType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "A FIFO task that wakes and preempts spinners, again and again.",
            .units_per_iteration = "1024",
            .group_size_rule = "cfs_workers + 1",
            .needs = {{.need = kRealTimeNeed, .met = MayRunRealTime(), .otherwise = "position 0 is an ordinary task"}}};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  uint32_t GroupSize(const v1::Work& work) const override { return work.preempt_storm().cfs_workers() + 1; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    const v1::PreemptStorm& params = work.preempt_storm();
    if (place.position != 0) return std::make_unique<PreemptedStep>(params.rt_burst_iters());
    return std::make_unique<PreempterStep>(params.rt_burst_iters(), params.rt_sleep_us() * 1000, place.max_rt_priority);
  }
};

MUSTER_WORK_TYPE(kPreemptStorm, PreemptStormType);

}  // namespace
}  // namespace muster
