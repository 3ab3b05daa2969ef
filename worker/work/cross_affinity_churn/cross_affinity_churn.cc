// Re-pins the other workers of its pool again and again, against whatever they do.
#include <sched.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/cpu_set.h"
#include "base/errno_status.h"
#include "base/status_macros.h"
#include "worker/core/work_type.h"
#include "worker/parts/pool_peers.h"
#include "worker/parts/spin.h"

namespace muster {
namespace {

// A worker holds a descriptor of each that it re-pins.
constexpr size_t kMostPeers = 256;

class CrossAffinityChurnStep final : public Step {
 public:
  // `cpus` as they were before any neighbour could change them.
  CrossAffinityChurnStep(uint64_t spin_iters, bool in_thread, CpuSet cpus)
      : spin_iters_(spin_iters), in_thread_(in_thread), cpus_(std::move(cpus)) {}

  StepResult Run(Meter& meter) override {
    if (!began_) Begin(meter);
    meter.SpinBurst(spin_iters_);
    const std::vector<uint64_t>& mask = masks_[turn_++ % 2].words();
    for (const PoolPeer& peer : peers_) {
      if (peer.IsThere()) Pin(peer, mask, meter);
    }
    YieldSampled(meter);
    return StepResult::kContinue;
  }

 private:
  // The list is read once, behind the gate, where all workers are there.
  void Begin(Meter& meter) {
    began_ = true;
    absl::StatusOr<std::vector<PoolPeer>> peers = FindPoolPeers(in_thread_, kMostPeers);
    if (!peers.ok()) return meter.SetNoopReason(peers.status().message());
    if (peers->empty()) return meter.SetNoopReason("the pool has no other worker to pin");
    const std::vector<uint32_t> cpus = CpusOfItsPlace().Ids();
    if (cpus.size() < 2) return meter.SetNoopReason("fewer than 2 CPUs: there is nothing to choose from");
    for (size_t i = 0; i < cpus.size(); ++i) {
      masks_[0].Add(cpus[i]);
      if (i + 1 < cpus.size()) masks_[1].Add(cpus[i]);
    }
    peers_ = *std::move(peers);
  }

  // Those of the worker's own that its cgroup has, where it may have been moved since its setup: what the kernel makes
  // of the mask. A neighbour that pins the worker at the same time can only take from them, so several readings are
  // joined.
  CpuSet CpusOfItsPlace() const {
    const absl::StatusOr<CpuSet> found = GetAffinity(0);
    CpuSet cpus;
    for (int reading = 0; reading < 4 && cpus.Count() < cpus_.Count(); ++reading) {
      // None of them is left: the kernel has chosen others.
      if (!SetAffinity(0, cpus_).ok()) return found.ok() ? *found : cpus_;
      const absl::StatusOr<CpuSet> granted = GetAffinity(0);
      if (!granted.ok()) return cpus_;
      cpus = cpus.Union(*granted);
    }
    if (found.ok()) (void)SetAffinity(0, *found);
    return cpus;
  }

  // One that is just ending is what this is about.
  static void Pin(const PoolPeer& peer, const std::vector<uint64_t>& mask, Meter& meter) {
    const auto* const cpus = reinterpret_cast<const cpu_set_t*>(mask.data());
    if (sched_setaffinity(peer.tid(), mask.size() * sizeof(mask[0]), cpus) == 0 || errno == ESRCH) return;
    const absl::Status status = ErrnoStatus(errno, "sched_setaffinity of another worker");
    meter.SetNoopReason(status.message());
  }

  const uint64_t spin_iters_;
  const bool in_thread_;
  const CpuSet cpus_;
  bool began_ = false;
  std::vector<PoolPeer> peers_;
  CpuSet masks_[2];  // all CPUs, all but the last
  uint64_t turn_ = 0;
};

class CrossAffinityChurnType final : public WorkType {
 public:
  WorkTypeDescription Describe() const override {
    return {.summary = "Re-pins the other workers of its pool: migrations by somebody else's order.",
            .units_per_iteration = "1024"};
  }
  uint32_t Streams(const v1::Work&) const override { return kWakeSamples; }
  absl::StatusOr<std::unique_ptr<Step>> MakeStep(const v1::Work& work, const WorkerPlace& place,
                                                 Plumbing&) const override {
    ASSIGN_OR_RETURN(CpuSet cpus, GetAffinity(0));
    return std::make_unique<CrossAffinityChurnStep>(work.cross_affinity_churn().spin_iters(), place.in_thread,
                                                    std::move(cpus));
  }
};

MUSTER_WORK_TYPE(kCrossAffinityChurn, CrossAffinityChurnType);

}  // namespace
}  // namespace muster
