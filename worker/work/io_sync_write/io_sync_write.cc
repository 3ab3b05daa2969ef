// Synchronous writes: a worker that blocks in the block layer for most of its time.
#include <fcntl.h>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/io_step.h"

namespace muster {
namespace {

constexpr uint64_t kBlocks = 16;

class IoSyncWriteStep final : public IoStep {
 public:
  using IoStep::IoStep;

 private:
  // The sample is what the sync took, after writes that were synchronous already.
  void RunOn(const IoTarget& target, Meter& meter) override {
    const uint64_t began_ns = MonotonicNs();
    for (uint64_t i = 0; i < kBlocks; ++i) WriteBlock(target, target.base + cursor_ + i * kIoBlockBytes, meter);
    cursor_ += kBlocks * kIoBlockBytes;
    if (cursor_ + kBlocks * kIoBlockBytes > target.extent) cursor_ = 0;
    const uint64_t before_ns = MonotonicNs();
    fdatasync(target.fd.get());
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(began_ns, now_ns);
  }

  uint64_t cursor_ = 0;
};

class IoSyncWriteType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Synchronous sequential writes: a task that blocks on its disk.", .units_per_iteration = "16"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::Status Validate(const v1::Work& work) const override { return ValidateIoDevice(work.io_sync_write().device()); }
  absl::Duration DrainBound(const v1::Work&) const override { return kIoDrainBound; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    IoRequest request = IoRequestOf(work.io_sync_write(), place);
    request.flags = O_SYNC;
    ASSIGN_OR_RETURN(MemoryRegion block, MemoryRegion::Map(kIoBlockBytes));
    return std::make_unique<IoSyncWriteStep>(OpenIoTarget(request), std::move(block));
  }
};

MUSTER_WORK_TYPE(kIoSyncWrite, IoSyncWriteType);

}  // namespace
}  // namespace muster
