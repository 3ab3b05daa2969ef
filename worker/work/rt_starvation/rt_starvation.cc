// Real-time spinners beside ordinary ones: starvation, and what the kernel does against it (throttling, the fair
// server). Bites only where they share a CPU.
#include "worker/core/work_type.h"
#include "worker/parts/sched_class.h"

namespace muster {
namespace {

class RtStarvationStep final : public Step {
 public:
  // `rt_priority` 0: an ordinary one.
  RtStarvationStep(uint32_t rt_priority, uint32_t max_rt_priority, uint64_t burst_iters)
      : rt_priority_(rt_priority), max_rt_priority_(max_rt_priority), burst_iters_(burst_iters) {}

  StepResult Run(Meter& meter) override {
    if (!began_) {
      began_ = true;
      if (rt_priority_ != 0) TakeSchedClass(meter, FifoAttributes(rt_priority_), max_rt_priority_);
    }
    meter.SpinBurst(burst_iters_);
    return StepResult::kContinue;
  }

 private:
  const uint32_t rt_priority_;
  const uint32_t max_rt_priority_;
  const uint64_t burst_iters_;
  bool began_ = false;
};

class RtStarvationType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "FIFO spinners beside ordinary ones: real-time throttling, the fair server, starvation.",
            .units_per_iteration = "1024",
            .group_size_rule = "rt_workers + cfs_workers",
            .needs = {{.need = kRealTimeNeed, .met = MayRunRealTime(), .otherwise = "all spin as ordinary tasks"}}};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  uint32_t GroupSize(const v1::Work& work) const override {
    return work.rt_starvation().rt_workers() + work.rt_starvation().cfs_workers();
  }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    const v1::RtStarvation& params = work.rt_starvation();
    const bool real_time = place.position < params.rt_workers();
    return std::make_unique<RtStarvationStep>(real_time ? params.rt_priority() : 0, place.max_rt_priority,
                                              params.burst_iters());
  }
};

MUSTER_WORK_TYPE(kRtStarvation, RtStarvationType);

}  // namespace
}  // namespace muster
