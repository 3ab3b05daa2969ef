// Cache pressure that gives its CPU away after each round: does the scheduler keep a warm cache with its task?
#include <utility>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/cache_walk.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

class CacheYieldStep final : public Step {
 public:
  explicit CacheYieldStep(CacheWalk walk) : walk_(std::move(walk)) {}

  StepResult Run(Meter& meter) override {
    if (!walk_.can_step()) return StepResult::kAbandon;
    walk_.Take(1024);
    meter.AddUnits(1024);
    YieldSampled(meter);
    return StepResult::kContinue;
  }

 private:
  CacheWalk walk_;
};

class CacheYieldType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Walks a buffer and yields: whether tasks come back to their warm cache.",
            .units_per_iteration = "1024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    ASSIGN_OR_RETURN(CacheWalk walk, CacheWalk::Make(work.cache_yield().size_kib(), work.cache_yield().stride()));
    return std::make_unique<CacheYieldStep>(std::move(walk));
  }
};

MUSTER_WORK_TYPE(kCacheYield, CacheYieldType);

}  // namespace
}  // namespace muster
