// One messenger wakes many receivers, which think and then multiply matrices; the messenger stamps each wake, so that a
// receiver knows the time from the wake to its running.
#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/futex.h"
#include "worker/parts/matrix.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

constexpr uint64_t kAfterWake = 256;

// What a group shares. A receiver that runs late finds the stamp of the wake that it waited for, not only the newest
// one.
struct Round {
  static constexpr uint64_t kStamps = 4096;

  std::atomic<uint64_t> generation;
  alignas(arena::kLineBytes) std::atomic<uint64_t> stamps_ns[kStamps];

  // The half that changes with every generation, for futexes.
  std::atomic<uint32_t>* low_half() {
    constexpr int kLow = std::endian::native == std::endian::little ? 0 : 1;
    return reinterpret_cast<std::atomic<uint32_t>*>(&generation) + kLow;
  }
};

class MessengerStep final : public Step {
 public:
  MessengerStep(Round* round, uint32_t fan_out) : round_(round), fan_out_(fan_out) {}

  StepResult Run(Meter& meter) override {
    const uint64_t next = round_->generation.load(std::memory_order_relaxed) + 1;
    round_->stamps_ns[next % Round::kStamps].store(MonotonicNs(), std::memory_order_relaxed);
    // Release: whoever sees the generation sees its stamp.
    round_->generation.store(next, std::memory_order_release);
    arena::FutexWake(round_->low_half(), fan_out_);
    meter.SpinBurst(kAfterWake);
    return StepResult::kContinue;
  }

 private:
  Round* const round_;
  const uint32_t fan_out_;
};

class ReceiverStep final : public Step {
 public:
  ReceiverStep(Round* round, MatrixWork matrices, const v1::FanOutCompute& params)
      : round_(round),
        matrices_(std::move(matrices)),
        operations_(params.operations()),
        sleep_ns_(params.sleep_usec() * 1000) {}

  StepResult Run(Meter& meter) override {
    const uint64_t seen = round_->generation.load(std::memory_order_acquire);
    const uint64_t before_ns = MonotonicNs();
    if (!FutexWaitWhile(meter, *round_->low_half(), static_cast<uint32_t>(seen))) {
      meter.EndCutWait(before_ns);
      return StepResult::kAbandon;
    }
    const uint64_t now_ns = MonotonicNs();
    meter.EndWait(before_ns, now_ns);
    const uint64_t stamp_ns = StampOfFirstAfter(seen);
    meter.WakeSample(now_ns > stamp_ns ? now_ns - stamp_ns : 0);
    if (sleep_ns_ != 0 && !SleepWanted(meter, now_ns, now_ns + sleep_ns_)) return StepResult::kAbandon;
    for (uint64_t i = 0; i < operations_; ++i) {
      if (!matrices_.Multiply([&meter] { return meter.stopping(); })) return StepResult::kAbandon;
      meter.AddUnits(1);
    }
    return StepResult::kContinue;
  }

 private:
  // Of the wake that ended the wait at generation `seen`; the oldest that is kept when it has been overwritten since.
  uint64_t StampOfFirstAfter(uint64_t seen) const {
    const uint64_t newest = round_->generation.load(std::memory_order_acquire);
    const uint64_t oldest = newest >= Round::kStamps ? newest - Round::kStamps + 2 : 1;
    return round_->stamps_ns[std::max(seen + 1, oldest) % Round::kStamps].load(std::memory_order_relaxed);
  }

  Round* const round_;
  MatrixWork matrices_;
  const uint64_t operations_;
  const uint64_t sleep_ns_;
};

class FanOutComputeType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "One messenger wakes many receivers that compute: wake-to-run latency under load.",
            .units_per_iteration = "5 (messenger: 256)",
            .group_size_rule = "fan_out + 1"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work& work) const override { return work.fan_out_compute().fan_out() + 1; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.memory_bytes = sizeof(Round)}; }
  bool IsMessenger(const WorkerPlace& place) const override { return place.position == 0; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    const v1::FanOutCompute& params = work.fan_out_compute();
    Round* const round = SharedAt<Round>(plumbing);
    if (IsMessenger(place)) return std::make_unique<MessengerStep>(round, params.fan_out());
    ASSIGN_OR_RETURN(MatrixWork matrices, MatrixWork::Make(params.cache_footprint_kib()));
    return std::make_unique<ReceiverStep>(round, std::move(matrices), params);
  }
};

MUSTER_WORK_TYPE(kFanOutCompute, FanOutComputeType);

}  // namespace
}  // namespace muster
