// A sender of frames and a receiver that each one wakes: wake-ups out of a softirq.
#include <sched.h>

#include <utility>

#include "base/clock.h"
#include "worker/core/work_type.h"
#include "worker/parts/frame_sender.h"

namespace muster {
namespace {

// A receiver that has never heard anything for this long, and for many of the sender's pauses, is told nothing.
constexpr uint64_t kSilenceNs = 1'000'000'000;
constexpr uint64_t kSilentPauses = 10;

class FrameReceiverStep final : public Step {
 public:
  FrameReceiverStep(absl::StatusOr<RawFrames> frames, uint64_t interval_ns)
      : frames_(std::move(frames)), patience_ns_(kSilenceNs + kSilentPauses * interval_ns) {}

  StepResult Run(Meter& meter) override {
    if (!frames_.ok()) {
      meter.SetNoopReason(frames_.status().message());
      sched_yield();
      return StepResult::kContinue;
    }
    const uint64_t before_ns = MonotonicNs();
    while (!frames_->Receive()) {
      if (meter.stopping()) {
        meter.EndCutWait(before_ns);
        return StepResult::kAbandon;
      }
      if (heard_ || MonotonicNs() - before_ns < patience_ns_) continue;
      // A card whose other end gives nothing back, as an emulator's.
      meter.SetNoopReason("no frame came back: what the interface is connected to does not return them");
      meter.EndWait(before_ns, MonotonicNs());
      return StepResult::kContinue;
    }
    heard_ = true;
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(before_ns, now_ns);
    meter.AddUnits(1);
    return StepResult::kContinue;
  }

 private:
  absl::StatusOr<RawFrames> frames_;
  const uint64_t patience_ns_;
  bool heard_ = false;
};

class IrqWakeType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Frames that each wake a receiver: wake-ups out of a softirq.",
            .units_per_iteration = "1",
            .needs = FrameNeeds()};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work&) const override { return 2; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    const v1::IrqWake& params = work.irq_wake();
    const auto direction = place.position == 0 ? RawFrames::Direction::kSend : RawFrames::Direction::kReceive;
    absl::StatusOr<RawFrames> frames = RawFrames::Open(params.interface(), direction, params.frame_bytes());
    const uint64_t interval_ns = params.interval_us() * 1000;
    if (place.position != 0) return std::make_unique<FrameReceiverStep>(std::move(frames), interval_ns);
    return std::make_unique<FrameSenderStep>(std::move(frames), interval_ns);
  }
};

MUSTER_WORK_TYPE(kIrqWake, IrqWakeType);

}  // namespace
}  // namespace muster
