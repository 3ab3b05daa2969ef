// Direct random reads: a worker that sleeps and wakes once per read.
#include <fcntl.h>

#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/io_step.h"

namespace muster {
namespace {

class IoRandReadStep final : public IoStep {
 public:
  using IoStep::IoStep;

 private:
  void RunOn(const IoTarget& target, Meter& meter) override {
    const uint64_t before_ns = MonotonicNs();
    ReadBlock(target, RandomBlockOffset(target, meter), meter);
    const uint64_t now_ns = MonotonicNs();
    meter.WakeSample(now_ns - before_ns);
    meter.EndWait(before_ns, now_ns);
  }
};

class IoRandReadType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Direct random reads: a sleep and a wake-up per read.", .units_per_iteration = "1"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::Status Validate(const v1::Work& work) const override { return ValidateIoDevice(work.io_rand_read().device()); }
  absl::Duration DrainBound(const v1::Work&) const override { return kIoDrainBound; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    IoRequest request = IoRequestOf(work.io_rand_read(), place);
    request.flags = O_DIRECT;
    request.filled = true;
    request.read_only = true;
    ASSIGN_OR_RETURN(MemoryRegion block, MemoryRegion::Map(kIoBlockBytes));
    return std::make_unique<IoRandReadStep>(OpenIoTarget(request), std::move(block));
  }
};

MUSTER_WORK_TYPE(kIoRandRead, IoRandReadType);

}  // namespace
}  // namespace muster
