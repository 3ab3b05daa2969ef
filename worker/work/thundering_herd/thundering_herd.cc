// One waker and a herd that wakes at once for every round.
#include <atomic>

#include "worker/core/work_type.h"
#include "worker/parts/futex.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

constexpr uint64_t kAfterWake = 256;

class WakerStep final : public Step {
 public:
  WakerStep(std::atomic<uint32_t>* generation, uint64_t pause_ns) : generation_(generation), pause_ns_(pause_ns) {}

  StepResult Run(Meter& meter) override {
    if (!SleepSampled(meter, pause_ns_)) return StepResult::kAbandon;
    generation_->fetch_add(1, std::memory_order_release);
    arena::FutexWake(generation_, UINT32_MAX);
    meter.SpinBurst(kAfterWake);
    return StepResult::kContinue;
  }

 private:
  std::atomic<uint32_t>* const generation_;
  const uint64_t pause_ns_;
};

class WaiterStep final : public Step {
 public:
  explicit WaiterStep(std::atomic<uint32_t>* generation) : generation_(generation) {}

  StepResult Run(Meter& meter) override {
    const uint32_t seen = generation_->load(std::memory_order_acquire);
    return WaitSampled(meter, *generation_, seen) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  std::atomic<uint32_t>* const generation_;
};

class ThunderingHerdType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "A herd that one wake sets off at once, at every round: a pile-up of wake-ups.",
            .units_per_iteration = "256 (waiters: 0)",
            .group_size_rule = "waiters + 1"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work& work) const override { return work.thundering_herd().waiters() + 1; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.memory_bytes = sizeof(std::atomic<uint32_t>)}; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    auto* generation = SharedAt<std::atomic<uint32_t>>(plumbing);
    if (place.position != 0) return std::make_unique<WaiterStep>(generation);
    return std::make_unique<WakerStep>(generation, work.thundering_herd().inter_batch_ms() * 1'000'000);
  }
};

MUSTER_WORK_TYPE(kThunderingHerd, ThunderingHerdType);

}  // namespace
}  // namespace muster
