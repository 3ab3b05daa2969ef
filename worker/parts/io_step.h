// What the I/O work types have in common: a target that may not be there, and an aligned block.
#ifndef MUSTER_WORKER_PARTS_IO_STEP_H_
#define MUSTER_WORKER_PARTS_IO_STEP_H_

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/clock.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/io_target.h"
#include "worker/parts/memory_region.h"

namespace muster {

// A step on an IoTarget. Without one it yields, counts iterations and no units, and says why in the report.
class IoStep : public Step {
 public:
  IoStep(absl::StatusOr<IoTarget> target, MemoryRegion block) : target_(std::move(target)), block_(std::move(block)) {}

  StepResult Run(Meter& meter) final {
    if (!target_.ok()) {
      meter.SetNoopReason(target_.status().message());
      sched_yield();
      return StepResult::kContinue;
    }
    if (!target_->degraded.empty()) meter.SetNoopReason(target_->degraded);
    RunOn(*target_, meter);
    return StepResult::kContinue;
  }

 protected:
  virtual void RunOn(const IoTarget& target, Meter& meter) = 0;

  // One block at `offset` of the target; each counts a unit. A short or failed one is said in the report.
  void WriteBlock(const IoTarget& target, uint64_t offset, Meter& meter) {
    if (pwrite(target.fd.get(), block_.data(), kIoBlockBytes, static_cast<off_t>(offset)) != kIoBlockBytes) {
      meter.SetNoopReason("a write to the I/O target failed or was short");
    }
    meter.AddUnits(1);
  }
  void ReadBlock(const IoTarget& target, uint64_t offset, Meter& meter) {
    if (pread(target.fd.get(), block_.data(), kIoBlockBytes, static_cast<off_t>(offset)) != kIoBlockBytes) {
      meter.SetNoopReason("a read from the I/O target failed or was short");
    }
    meter.AddUnits(1);
  }

 private:
  const absl::StatusOr<IoTarget> target_;
  const MemoryRegion block_;
};

// Parameters that the three I/O messages share, as a request.
template <typename Params>
IoRequest IoRequestOf(const Params& params, const WorkerPlace& place) {
  return {.directory = params.directory(),
          .device = params.device(),
          .file_kib = params.file_kib(),
          .worker = place.worker};
}

// A random multiple of 512 at which a whole block of the target lies.
inline uint64_t RandomBlockOffset(const IoTarget& target, Meter& meter) {
  const uint64_t places = (target.capacity - kIoBlockBytes) / 512 + 1;
  return meter.Random() % places * 512;
}

// How long a disk may take with what is under way when the stop comes.
inline constexpr absl::Duration kIoDrainBound = absl::Seconds(2);

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_IO_STEP_H_
