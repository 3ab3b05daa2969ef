// Workers that contend for one futex lock: convoys, lock holders that are preempted.
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/parts/futex.h"
#include "worker/parts/futex_lock.h"

namespace muster {
namespace {

class MutexContentionStep final : public Step {
 public:
  MutexContentionStep(FutexLock* lock, uint64_t hold_iters, uint64_t work_iters)
      : lock_(lock), hold_iters_(hold_iters), work_iters_(work_iters) {}

  StepResult Run(Meter& meter) override {
    meter.SpinBurst(work_iters_);
    if (!lock_->Lock(meter)) return StepResult::kAbandon;
    meter.SpinBurst(hold_iters_);
    lock_->Unlock();
    return StepResult::kContinue;
  }

 private:
  FutexLock* const lock_;
  const uint64_t hold_iters_;
  const uint64_t work_iters_;
};

class MutexContentionType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Workers that contend for one lock: convoys behind a preempted holder.",
            .units_per_iteration = "1280",
            .group_size_rule = "contenders"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  uint32_t GroupSize(const v1::Work& work) const override { return work.mutex_contention().contenders(); }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.memory_bytes = sizeof(FutexLock)}; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&,
                                                 Plumbing& plumbing) const override {
    const v1::MutexContention& params = work.mutex_contention();
    return std::make_unique<MutexContentionStep>(SharedAt<FutexLock>(plumbing), params.hold_iters(),
                                                 params.work_iters());
  }
};

MUSTER_WORK_TYPE(kMutexContention, MutexContentionType);

}  // namespace
}  // namespace muster
