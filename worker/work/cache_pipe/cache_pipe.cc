// Pairs that each walk a buffer and then pass a byte: wake-ups whose placement costs or saves cache misses.
#include <utility>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/cache_walk.h"
#include "worker/parts/pipe_exchange.h"

namespace muster {
namespace {

constexpr uint64_t kStride = 64;

class CachePipeStep final : public Step {
 public:
  CachePipeStep(CacheWalk walk, uint64_t burst_iters, PipeExchange exchange)
      : walk_(std::move(walk)), burst_iters_(burst_iters), exchange_(std::move(exchange)) {}

  StepResult Run(Meter& meter) override {
    if (!walk_.can_step()) return StepResult::kAbandon;
    for (uint64_t left = burst_iters_; left != 0 && !meter.stopping();) {
      const uint64_t slice = left < kSlice ? left : kSlice;
      walk_.Take(slice);
      meter.AddUnits(slice);
      left -= slice;
    }
    return exchange_.Swap(meter) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  // Accesses between two looks at the stop word.
  static constexpr uint64_t kSlice = 65'536;

  CacheWalk walk_;
  const uint64_t burst_iters_;
  PipeExchange exchange_;
};

class CachePipeType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Pairs that walk a buffer and wake each other: wake-up placement against a warm cache.",
            .units_per_iteration = "1024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work&) const override { return 2; }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.pipes = 2}; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    ASSIGN_OR_RETURN(CacheWalk walk, CacheWalk::Make(work.cache_pipe().size_kib(), kStride));
    return std::make_unique<CachePipeStep>(std::move(walk), work.cache_pipe().burst_iters(),
                                           PipeExchange(place.position, std::move(plumbing.pipes)));
  }
};

MUSTER_WORK_TYPE(kCachePipe, CachePipeType);

}  // namespace
}  // namespace muster
