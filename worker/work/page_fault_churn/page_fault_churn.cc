// Faults pages in and gives them back: the fault path, the page allocator and, among threads, mmap_lock.
#include <algorithm>
#include <utility>

#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/memory_region.h"

namespace muster {
namespace {

// Touches between two looks at the stop word; a touch that faults takes up to some microseconds.
constexpr uint64_t kTouchSlice = 1024;

class PageFaultChurnStep final : public Step {
 public:
  // `region` may be an error: then there is nothing to fault in.
  PageFaultChurnStep(absl::StatusOr<MemoryRegion> region, uint64_t touches, uint64_t spin_iters)
      : region_(std::move(region)), touches_(touches), spin_iters_(spin_iters) {}

  StepResult Run(Meter& meter) override {
    if (!region_.ok()) {
      meter.SetNoopReason({region_.status().message().data(), region_.status().message().size()});
      return StepResult::kAbandon;
    }
    for (uint64_t left = touches_; left != 0 && !meter.stopping();) {
      const uint64_t slice = std::min(left, kTouchSlice);
      Touch(meter, slice);
      left -= slice;
    }
    region_->DropPages();
    meter.SpinBurst(spin_iters_);
    return StepResult::kContinue;
  }

 private:
  void Touch(Meter& meter, uint64_t touches) {
    const uint64_t pages = region_->pages();
    volatile std::byte* const base = region_->data();
    for (uint64_t i = 0; i < touches; ++i) base[meter.Random() % pages * arena::kPageBytes] = std::byte{1};
    meter.AddUnits(touches);
  }

  absl::StatusOr<MemoryRegion> region_;
  const uint64_t touches_;
  const uint64_t spin_iters_;
};

class PageFaultChurnType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Faults random pages in and gives them back: the fault path and mmap_lock.",
            .units_per_iteration = "320"};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    const v1::PageFaultChurn& params = work.page_fault_churn();
    return std::make_unique<PageFaultChurnStep>(MemoryRegion::Map(params.region_kib() * 1024),
                                                params.touches_per_cycle(), params.spin_iters());
  }
};

MUSTER_WORK_TYPE(kPageFaultChurn, PageFaultChurnType);

}  // namespace
}  // namespace muster
