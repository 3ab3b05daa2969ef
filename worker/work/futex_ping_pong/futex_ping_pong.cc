// Pairs that hand a turn to and fro through one futex word: the bare wake-up path, without a pipe's copying.
#include <atomic>

#include "worker/core/blocking.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/futex.h"

namespace muster {
namespace {

// The word holds the position whose turn it is; it begins with 0.
class FutexPingPongStep final : public Step {
 public:
  FutexPingPongStep(std::atomic<uint32_t>* turn, uint32_t position, uint64_t spin_iters)
      : turn_(turn), own_(position), spin_iters_(spin_iters) {}

  StepResult Run(Meter& meter) override {
    if (!began_) {
      // Position 1 has no turn to hand over yet.
      if (!WaitWanted(meter, *turn_, 1 - own_)) return StepResult::kAbandon;
      began_ = true;
    }
    meter.SpinBurst(spin_iters_);
    turn_->store(1 - own_, std::memory_order_release);
    arena::FutexWake(turn_, 1);
    return WaitSampled(meter, *turn_, 1 - own_) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  std::atomic<uint32_t>* const turn_;
  const uint32_t own_;
  const uint64_t spin_iters_;
  bool began_ = false;
};

class FutexPingPongType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Pairs that wake each other in turn through one futex word: synchronous wake-ups.",
            .units_per_iteration = "1024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work&) const override { return 2; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.memory_bytes = sizeof(std::atomic<uint32_t>)}; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    return std::make_unique<FutexPingPongStep>(SharedAt<std::atomic<uint32_t>>(plumbing), place.position,
                                               work.futex_ping_pong().spin_iters());
  }
};

MUSTER_WORK_TYPE(kFutexPingPong, FutexPingPongType);

}  // namespace
}  // namespace muster
