// Sequential writes and random reads of one file, with a sync now and then that all of them queue behind.
#include <fcntl.h>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/io_step.h"

namespace muster {
namespace {

constexpr uint64_t kSyncEvery = 16;

class IoConvoyStep final : public IoStep {
 public:
  using IoStep::IoStep;

 private:
  void RunOn(const IoTarget& target, Meter& meter) override {
    const uint64_t before_ns = MonotonicNs();
    WriteBlock(target, target.base + cursor_, meter);
    cursor_ += kIoBlockBytes;
    if (cursor_ + kIoBlockBytes > target.extent) cursor_ = 0;
    ReadBlock(target, RandomBlockOffset(target, meter), meter);
    if (round_++ % kSyncEvery == 0) fdatasync(target.fd.get());
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(before_ns, now_ns);
  }

  uint64_t cursor_ = 0;
  uint64_t round_ = 0;
};

class IoConvoyType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Writes and random reads of one file, with syncs that the rest queue behind.",
            .units_per_iteration = "2"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::Status Validate(const v1::Work& work) const override { return ValidateIoDevice(work.io_convoy().device()); }
  absl::Duration DrainBound(const v1::Work&) const override { return kIoDrainBound; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    IoRequest request = IoRequestOf(work.io_convoy(), place);
    request.flags = O_DIRECT;
    ASSIGN_OR_RETURN(MemoryRegion block, MemoryRegion::Map(kIoBlockBytes));
    return std::make_unique<IoConvoyStep>(OpenIoTarget(request), std::move(block));
  }
};

MUSTER_WORK_TYPE(kIoConvoy, IoConvoyType);

}  // namespace
}  // namespace muster
