// A waker and a wakee of different scheduling classes: wake-ups that cross a class.
#include <atomic>

#include "worker/core/work_type.h"
#include "worker/parts/futex.h"
#include "worker/parts/sched_class.h"

namespace muster {
namespace {

// Takes its class at its first iteration.
class ClassOnce {
 public:
  ClassOnce(v1::SchedClass sched_class, uint32_t max_rt_priority)
      : sched_class_(sched_class), max_rt_priority_(max_rt_priority) {}

  void Take(Meter& meter) {
    if (taken_) return;
    taken_ = true;
    TakeSchedClass(meter, AttributesOf(sched_class_), max_rt_priority_);
  }

 private:
  const v1::SchedClass sched_class_;
  const uint32_t max_rt_priority_;
  bool taken_ = false;
};

class WakerStep final : public Step {
 public:
  WakerStep(std::atomic<uint32_t>* word, const ClassOnce& sched_class, uint64_t burst_iters)
      : word_(word), class_(sched_class), burst_iters_(burst_iters) {}

  StepResult Run(Meter& meter) override {
    class_.Take(meter);
    meter.SpinBurst(burst_iters_);
    word_->fetch_add(1, std::memory_order_release);
    arena::FutexWake(word_, 1);
    return StepResult::kContinue;
  }

 private:
  std::atomic<uint32_t>* const word_;
  ClassOnce class_;
  const uint64_t burst_iters_;
};

class WakeeStep final : public Step {
 public:
  WakeeStep(std::atomic<uint32_t>* word, const ClassOnce& sched_class, uint64_t burst_iters)
      : word_(word), class_(sched_class), burst_iters_(burst_iters) {}

  StepResult Run(Meter& meter) override {
    class_.Take(meter);
    const uint32_t seen = word_->load(std::memory_order_acquire);
    if (!WaitSampled(meter, *word_, seen)) return StepResult::kAbandon;
    meter.SpinBurst(burst_iters_);
    return StepResult::kContinue;
  }

 private:
  std::atomic<uint32_t>* const word_;
  ClassOnce class_;
  const uint64_t burst_iters_;
};

class AsymmetricWakerType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "A waker and a wakee of different scheduling classes: wake-ups across a class.",
            .units_per_iteration = "1024",
            .needs = {{.need = "CAP_SYS_NICE, for RT and DEADLINE",
                       .met = MayRunRealTime(),
                       .otherwise = "runs in the class it has, and says so in sched_policy_error"}}};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work&) const override { return 2; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.memory_bytes = sizeof(std::atomic<uint32_t>)}; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    const v1::AsymmetricWaker& params = work.asymmetric_waker();
    auto* word = SharedAt<std::atomic<uint32_t>>(plumbing);
    const bool waker = place.position == 0;
    const ClassOnce own(waker ? params.waker_class() : params.wakee_class(), place.max_rt_priority);
    if (waker) return std::make_unique<WakerStep>(word, own, params.burst_iters());
    return std::make_unique<WakeeStep>(word, own, params.burst_iters());
  }
};

MUSTER_WORK_TYPE(kAsymmetricWaker, AsymmetricWakerType);

}  // namespace
}  // namespace muster
