// A token travels round a ring of workers; each waits for it, works, and passes it on: chains of wake-ups.
#include <atomic>
#include <utility>
#include <vector>

#include "worker/core/work_type.h"
#include "worker/parts/futex.h"
#include "worker/parts/params.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

constexpr uint64_t kBatch = 256;

// Pipe i carries the token from stage i to the next one. A stage keeps both ends of its two, so that a dead neighbour
// neither ends the file nor breaks the pipe: the token is lost, and the ring waits for the stop.
class PipeStageStep final : public Step {
 public:
  PipeStageStep(const WorkerPlace& place, std::vector<Plumbing::Pipe> pipes, uint64_t work_ns)
      : out_(std::move(pipes[place.position])),
        in_(std::move(pipes[(place.position + place.group_size - 1) % place.group_size])),
        has_token_(place.position == 0),
        work_ns_(work_ns) {}

  StepResult Run(Meter& meter) override {
    char token = 0;
    if (has_token_ && !WriteByte(meter, out_.write_end.get(), token)) return StepResult::kAbandon;
    has_token_ = false;
    const uint64_t before_ns = MonotonicNs();
    if (!ReadByte(meter, in_.read_end.get(), &token)) {
      meter.EndCutWait(before_ns);
      return StepResult::kAbandon;
    }
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(before_ns, now_ns);
    SpinUntil(meter, kBatch, now_ns + work_ns_);
    return WriteByte(meter, out_.write_end.get(), token) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  const Plumbing::Pipe out_;
  const Plumbing::Pipe in_;
  // Stage 0 brings the token into the world.
  bool has_token_;
  const uint64_t work_ns_;
};

// The word holds the stage whose turn it is; all wait on it.
class FutexStageStep final : public Step {
 public:
  FutexStageStep(const WorkerPlace& place, std::atomic<uint32_t>* turn, uint64_t work_ns)
      : turn_(turn), stage_(place.position), next_((place.position + 1) % place.group_size), work_ns_(work_ns) {}

  StepResult Run(Meter& meter) override {
    const uint64_t before_ns = MonotonicNs();
    while (true) {
      const uint32_t turn = turn_->load(std::memory_order_acquire);
      if (turn == stage_) break;
      if (FutexWaitWhile(meter, *turn_, turn)) continue;
      meter.EndCutWait(before_ns);
      return StepResult::kAbandon;
    }
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(before_ns, now_ns);
    SpinUntil(meter, kBatch, now_ns + work_ns_);
    turn_->store(next_, std::memory_order_release);
    arena::FutexWake(turn_, UINT32_MAX);
    return StepResult::kContinue;
  }

 private:
  std::atomic<uint32_t>* const turn_;
  const uint32_t stage_;
  const uint32_t next_;
  const uint64_t work_ns_;
};

class WakeChainType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "A token that travels round a ring: chains of wake-ups, one runnable task per ring.",
            .units_per_iteration = "k * 256 (as many batches as work_per_hop has room for)",
            .group_size_rule = "depth"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work& work) const override { return work.wake_chain().depth(); }
  absl::Status Validate(const v1::Work& work) const override {
    if (work.wake_chain().wake() == v1::FUTEX || work.wake_chain().depth() >= 2) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "depth: a ring of pipes needs at least 2 stages; choose 2 or more, or wake: FUTEX");
  }
  PlumbingRequest Plumb(const v1::Work& work) const override {
    if (work.wake_chain().wake() == v1::PIPE) return {.pipes = work.wake_chain().depth()};
    return {.memory_bytes = sizeof(std::atomic<uint32_t>)};
  }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    const uint64_t work_ns = DurationNs(work.wake_chain().work_per_hop());
    if (work.wake_chain().wake() == v1::PIPE) {
      return std::make_unique<PipeStageStep>(place, std::move(plumbing.pipes), work_ns);
    }
    return std::make_unique<FutexStageStep>(place, SharedAt<std::atomic<uint32_t>>(plumbing), work_ns);
  }
};

MUSTER_WORK_TYPE(kWakeChain, WakeChainType);

}  // namespace
}  // namespace muster
