#include "worker/work/numa_migration_churn/numa_migration_churn.h"

#include <utility>

#include "worker/parts/numa_nodes.h"
#include "worker/parts/sleep.h"

namespace muster {
namespace {

constexpr uint64_t kSpin = 256;

class NumaMigrationChurnStep final : public Step {
 public:
  NumaMigrationChurnStep(uint64_t period_ns, std::vector<CpuSet> nodes)
      : period_ns_(period_ns), nodes_(std::move(nodes)) {}

  StepResult Run(Meter& meter) override {
    if (nodes_.size() < 2) {
      meter.SetNoopReason("fewer than 2 NUMA nodes with CPUs: there is nowhere to migrate to");
    } else if (const absl::Status moved = SetAffinity(0, nodes_[next_++ % nodes_.size()]); !moved.ok()) {
      meter.SetNoopReason(moved.message());
    }
    if (!SleepWantedFor(meter, period_ns_)) return StepResult::kAbandon;
    meter.SpinBurst(kSpin);
    return StepResult::kContinue;
  }

 private:
  const uint64_t period_ns_;
  const std::vector<CpuSet> nodes_;
  size_t next_ = 0;
};

class NumaMigrationChurnType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Migrates itself from node to node: memory left behind, and NUMA balancing after it.",
            .units_per_iteration = "256",
            .needs = {{.need = "2 NUMA nodes", .met = CpusOfNodes().size() >= 2, .otherwise = "stays where it is"}}};
  }
  uint32_t Streams(const v1::Work&) const override { return kNoSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace&, Plumbing&) const override {
    return MakeNumaMigrationChurn(work.numa_migration_churn().period_ms() * 1'000'000, CpusOfNodes());
  }
};

MUSTER_WORK_TYPE(kNumaMigrationChurn, NumaMigrationChurnType);

}  // namespace

std::unique_ptr<Step> MakeNumaMigrationChurn(uint64_t period_ns, std::vector<CpuSet> nodes) {
  return std::make_unique<NumaMigrationChurnStep>(period_ns, std::move(nodes));
}

}  // namespace muster
