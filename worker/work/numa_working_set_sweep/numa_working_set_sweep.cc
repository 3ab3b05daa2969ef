// Binds a region to one node after the other and touches all of it: page migration on the user's order.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/memory_region.h"
#include "worker/parts/numa_nodes.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

// Of mbind(2).
constexpr int kMpolBind = 2;
constexpr unsigned kMpolMfMove = 2;
constexpr uint64_t kPagesPerLook = 1024;
// Moving so many takes some milliseconds.
constexpr size_t kBytesPerBind = 16 << 20;

class NumaWorkingSetSweepStep final : public Step {
 public:
  NumaWorkingSetSweepStep(MemoryRegion region, const v1::NumaWorkingSetSweep& params, uint32_t worker)
      : region_(std::move(region)),
        targets_(params.target_nodes().begin(), params.target_nodes().end()),
        period_ns_(params.sweep_period_ms() * 1'000'000),
        // Neighbours begin at different nodes.
        next_(worker) {}

  StepResult Run(Meter& meter) override {
    if (!targets_.empty()) BindToNextNode(meter);
    TouchAll(meter);
    return SleepSampled(meter, period_ns_) ? StepResult::kContinue : StepResult::kAbandon;
  }

 private:
  void BindToNextNode(Meter& meter) {
    const uint32_t node = targets_[next_++ % targets_.size()];
    uint64_t mask[1024 / 64 + 1] = {};
    mask[node / 64] = uint64_t{1} << node % 64;
    for (size_t at = 0; at < region_.size() && !meter.stopping(); at += kBytesPerBind) {
      meter.MarkRunning(MonotonicNs());
      const size_t bytes = std::min(kBytesPerBind, region_.size() - at);
      // The kernel takes one bit less than maxnode says.
      if (syscall(SYS_mbind, region_.data() + at, bytes, kMpolBind, mask, node + 2, kMpolMfMove) == 0) continue;
      const absl::Status status = ErrnoStatus(errno, absl::StrCat("mbind to node ", node));
      return meter.SetNoopReason(status.message());
    }
  }

  void TouchAll(Meter& meter) {
    volatile std::byte* const base = region_.data();
    for (uint64_t page = 0; page < region_.pages() && !meter.stopping();) {
      const uint64_t end = std::min<uint64_t>(page + kPagesPerLook, region_.pages());
      meter.MarkRunning(MonotonicNs());
      meter.AddUnits(end - page);
      for (; page < end; ++page) base[page * arena::kPageBytes] = std::byte{1};
    }
  }

  MemoryRegion region_;
  const std::vector<uint32_t> targets_;
  const uint64_t period_ns_;
  uint64_t next_;
};

class NumaWorkingSetSweepType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {
        .summary = "Moves its memory from node to node and touches all of it: page migration.",
        .units_per_iteration = "1024 (pages of the region)",
        .needs = {
            {.need = "2 NUMA nodes", .met = CpusOfNodes().size() >= 2, .otherwise = "the memory stays where it is"}}};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    ASSIGN_OR_RETURN(MemoryRegion region, MemoryRegion::Map(work.numa_working_set_sweep().region_kib() * 1024));
    return std::make_unique<NumaWorkingSetSweepStep>(std::move(region), work.numa_working_set_sweep(), place.worker);
  }
};

MUSTER_WORK_TYPE(kNumaWorkingSetSweep, NumaWorkingSetSweepType);

}  // namespace
}  // namespace muster
