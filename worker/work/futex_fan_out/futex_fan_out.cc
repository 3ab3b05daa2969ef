// One messenger wakes many receivers through one futex word: how a scheduler places a herd that wakes at once.
#include <atomic>

#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/futex.h"

namespace muster {
namespace {

// What the messenger spins after each round, so that receivers get to run before the next.
constexpr uint64_t kAfterWake = 256;

class MessengerStep final : public Step {
 public:
  MessengerStep(std::atomic<uint32_t>* generation, uint32_t fan_out, uint64_t spin_iters)
      : generation_(generation), fan_out_(fan_out), spin_iters_(spin_iters) {}

  StepResult Run(Meter& meter) override {
    meter.SpinBurst(spin_iters_);
    generation_->fetch_add(1, std::memory_order_release);
    arena::FutexWake(generation_, fan_out_);
    meter.SpinBurst(kAfterWake);
    return StepResult::kContinue;
  }

 private:
  std::atomic<uint32_t>* const generation_;
  const uint32_t fan_out_;
  const uint64_t spin_iters_;
};

class ReceiverStep final : public Step {
 public:
  ReceiverStep(std::atomic<uint32_t>* generation, uint64_t spin_iters)
      : generation_(generation), spin_iters_(spin_iters) {}

  StepResult Run(Meter& meter) override {
    meter.SpinBurst(spin_iters_);
    const uint32_t seen = generation_->load(std::memory_order_acquire);
    return WaitSampled(meter, *generation_, seen) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  std::atomic<uint32_t>* const generation_;
  const uint64_t spin_iters_;
};

class FutexFanOutType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "One messenger wakes many receivers at once: placement of a herd.",
            .units_per_iteration = "1024 (messenger: 1280)",
            .group_size_rule = "fan_out + 1"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work& work) const override { return work.futex_fan_out().fan_out() + 1; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.memory_bytes = sizeof(std::atomic<uint32_t>)}; }
  bool IsMessenger(const WorkerPlace& place) const override { return place.position == 0; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    auto* generation = SharedAt<std::atomic<uint32_t>>(plumbing);
    const v1::FutexFanOut& params = work.futex_fan_out();
    if (IsMessenger(place)) return std::make_unique<MessengerStep>(generation, params.fan_out(), params.spin_iters());
    return std::make_unique<ReceiverStep>(generation, params.spin_iters());
  }
};

MUSTER_WORK_TYPE(kFutexFanOut, FutexFanOutType);

}  // namespace
}  // namespace muster
