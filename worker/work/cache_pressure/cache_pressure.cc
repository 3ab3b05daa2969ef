// Strided read-modify-writes over a private buffer: load whose speed depends on who shares its cache.
#include <utility>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/cache_walk.h"

namespace muster {
namespace {

class CachePressureStep final : public Step {
 public:
  explicit CachePressureStep(CacheWalk walk) : walk_(std::move(walk)) {}

  StepResult Run(Meter& meter) override {
    if (!walk_.can_step()) return StepResult::kAbandon;
    walk_.Take(1024);
    meter.AddUnits(1024);
    return StepResult::kContinue;
  }

 private:
  CacheWalk walk_;
};

class CachePressureType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Strided read-modify-writes over a private buffer: sensitive to who shares the cache.",
            .units_per_iteration = "1024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    ASSIGN_OR_RETURN(CacheWalk walk, CacheWalk::Make(work.cache_pressure().size_kib(), work.cache_pressure().stride()));
    return std::make_unique<CachePressureStep>(std::move(walk));
  }
};

MUSTER_WORK_TYPE(kCachePressure, CachePressureType);

}  // namespace
}  // namespace muster
