// Three real-time priorities around one lock: the low one holds what the high one waits for, and the medium one keeps
// the low one from running, unless the lock hands the priority on. Bites only where all share a CPU.
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/core/work_type.h"
#include "worker/parts/futex_lock.h"
#include "worker/parts/pi_lock.h"
#include "worker/parts/sched_class.h"

namespace muster {
namespace {

enum class Role { kHigh, kMedium, kLow };

// Only one of the two is used, by pi_mode.
union SharedLock {
  FutexLock plain;
  PiLock pi;
};

uint32_t PriorityOf(Role role) { return role == Role::kHigh ? 70 : role == Role::kMedium ? 50 : 30; }

// Takes its priority at its first iteration.
class PriorityOnce {
 public:
  PriorityOnce(Role role, uint32_t max_rt_priority) : role_(role), max_rt_priority_(max_rt_priority) {}
  void Take(Meter& meter) {
    if (taken_) return;
    taken_ = true;
    TakeSchedClass(meter, FifoAttributes(PriorityOf(role_)), max_rt_priority_);
  }
  Role role() const { return role_; }

 private:
  const Role role_;
  const uint32_t max_rt_priority_;
  bool taken_ = false;
};

class MediumStep final : public Step {
 public:
  MediumStep(const PriorityOnce& priority, uint64_t work_iters) : work_iters_(work_iters), priority_(priority) {}

  StepResult Run(Meter& meter) override {
    priority_.Take(meter);
    meter.SpinBurst(work_iters_);
    return StepResult::kContinue;
  }

 private:
  const uint64_t work_iters_;
  PriorityOnce priority_;
};

class PlainStep final : public Step {
 public:
  PlainStep(const PriorityOnce& priority, FutexLock* lock, const v1::PriorityInversion& params)
      : lock_(lock),
        work_iters_(params.work_iters()),
        hold_iters_(priority.role() == Role::kHigh ? params.work_iters() : params.hold_iters()),
        priority_(priority) {}

  StepResult Run(Meter& meter) override {
    priority_.Take(meter);
    meter.SpinBurst(work_iters_);
    if (!lock_->Lock(meter)) return StepResult::kAbandon;
    meter.SpinBurst(hold_iters_);
    lock_->Unlock();
    return StepResult::kContinue;
  }

 private:
  FutexLock* const lock_;
  const uint64_t work_iters_;
  const uint64_t hold_iters_;
  PriorityOnce priority_;
};

class InheritingStep final : public Step {
 public:
  InheritingStep(const PriorityOnce& priority, PiLock* lock, const v1::PriorityInversion& params)
      : lock_(lock), work_iters_(params.work_iters()), hold_iters_(params.hold_iters()), priority_(priority) {}

  StepResult Run(Meter& meter) override {
    priority_.Take(meter);
    meter.SpinBurst(work_iters_);
    const pid_t tid = static_cast<pid_t>(syscall(SYS_gettid));
    switch (lock_->Lock(meter, tid)) {
      case PiLock::Outcome::kLocked:
        break;
      case PiLock::Outcome::kStopped:
        return StepResult::kAbandon;
      case PiLock::Outcome::kFailed:
        // A member died with the lock, or the kernel has no such locks.
        meter.SetNoopReason("FUTEX_LOCK_PI failed: the lock's holder is gone, or the kernel has no PI futexes");
        return StepResult::kAbandon;
    }
    meter.SpinBurst(hold_iters_);
    lock_->Unlock(tid);
    return StepResult::kContinue;
  }

 private:
  PiLock* const lock_;
  const uint64_t work_iters_;
  const uint64_t hold_iters_;
  PriorityOnce priority_;
};

class PriorityInversionType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "FIFO 70, 50 and 30 around one lock: priority inversion, and inheritance against it.",
            .units_per_iteration = "1024 (medium), 2048 (high), 5120 (low; with PI also high)",
            .group_size_rule = "high_count + medium_count + low_count",
            .needs = {{.need = kRealTimeNeed, .met = MayRunRealTime(), .otherwise = "all run as ordinary tasks"}}};
  }
  uint32_t Streams(const v1::Work& work) const override {
    return work.priority_inversion().pi_mode() == v1::PLAIN ? kWakeSamples : kNoSamples;
  }
  uint32_t GroupSize(const v1::Work& work) const override {
    const v1::PriorityInversion& params = work.priority_inversion();
    return params.high_count() + params.medium_count() + params.low_count();
  }
  PlumbingRequest Plumb(const v1::Work&) const override { return {.memory_bytes = sizeof(SharedLock)}; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing& plumbing) const override {
    const v1::PriorityInversion& params = work.priority_inversion();
    const bool medium =
        place.position >= params.high_count() && place.position < params.high_count() + params.medium_count();
    const Role role = medium ? Role::kMedium : place.position < params.high_count() ? Role::kHigh : Role::kLow;
    const PriorityOnce priority(role, place.max_rt_priority);
    if (medium) return std::make_unique<MediumStep>(priority, params.work_iters());
    SharedLock* const lock = SharedAt<SharedLock>(plumbing);
    if (params.pi_mode() == v1::PLAIN) return std::make_unique<PlainStep>(priority, &lock->plain, params);
    return std::make_unique<InheritingStep>(priority, &lock->pi, params);
  }
};

MUSTER_WORK_TYPE(kPriorityInversion, PriorityInversionType);

}  // namespace
}  // namespace muster
