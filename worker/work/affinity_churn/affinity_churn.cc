// Pins itself to another CPU at every iteration: migration by the user's order.
#include <sched.h>

#include <cerrno>
#include <vector>

#include "base/cpu_set.h"
#include "base/errno_status.h"
#include "worker/core/work_type.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

class AffinityChurnStep final : public Step {
 public:
  explicit AffinityChurnStep(uint64_t spin_iters) : spin_iters_(spin_iters) {}

  StepResult Run(Meter& meter) override {
    if (masks_.empty() && !Begin(meter)) return StepResult::kAbandon;
    meter.SpinBurst(spin_iters_);
    const std::vector<uint64_t>& mask = masks_[meter.Random() % masks_.size()].words();
    if (sched_setaffinity(0, mask.size() * sizeof(mask[0]), reinterpret_cast<const cpu_set_t*>(mask.data())) != 0) {
      // A cpuset that no longer has the CPU.
      const absl::Status status = ErrnoStatus(errno, "sched_setaffinity to one of its CPUs");
      meter.SetNoopReason(status.message());
    }
    YieldSampled(meter);
    return StepResult::kContinue;
  }

 private:
  // One mask per CPU that the worker may run on; read after the gate, where its placement is final.
  bool Begin(Meter& meter) {
    const absl::StatusOr<CpuSet> effective = GetAffinity(0);
    if (!effective.ok()) {
      meter.SetNoopReason(effective.status().message());
      return false;
    }
    for (const uint32_t cpu : effective->Ids()) masks_.emplace_back().Add(cpu);
    return !masks_.empty();
  }

  const uint64_t spin_iters_;
  std::vector<CpuSet> masks_;
};

class AffinityChurnType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Pins itself to a random CPU again and again: migrations by order.",
            .units_per_iteration = "1024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return std::make_unique<AffinityChurnStep>(work.affinity_churn().spin_iters());
  }
};

MUSTER_WORK_TYPE(kAffinityChurn, AffinityChurnType);

}  // namespace
}  // namespace muster
