// A pool as its host works with it: the plan taken apart, nothing running yet.
#ifndef MUSTER_WORKER_HOST_POOL_H_
#define MUSTER_WORKER_HOST_POOL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cpu_set.h"
#include "base/unique_fd.h"
#include "muster/control/control.pb.h"
#include "worker/arena/arena.h"
#include "worker/core/work_type.h"

namespace muster::host {

// Workers of one spec.
struct PoolGroup {
  v1::GroupSpec spec;
  const WorkType* type = nullptr;  // null for a Custom program
  uint32_t group_idx = 0;
  uint32_t first_worker = 0;
  uint32_t num_workers = 0;
  uint32_t instance_size = 1;
  PlumbingRequest plumbing;
  int cgroup_fd = -1;        // owned by the pool; -1: none was given
  uint32_t wake_base = 0;    // its first worker's position in the wake tree; the others follow
  arena::WorkerShape shape;  // of each
  arena::Range part;         // of the first; the others' follow
  std::vector<CpuSet> cpus;  // none: the mask is inherited; one: it is everybody's; else one per worker

  bool is_program() const { return type == nullptr; }
};

// Workers [first, first + count).
struct WorkerRange {
  uint32_t first = 0;
  uint32_t count = 0;
};

// Owns the descriptors that came with the plan. Move-only.
class Pool {
 public:
  // Admits the plan and takes it apart. `descriptors`: the arena, then the cgroups.
  static absl::StatusOr<Pool> Make(control::Plan plan, std::vector<UniqueFd> descriptors);

  Pool() = default;

  const std::string& id() const { return plan_.pool_id(); }
  const control::Plan& plan() const { return plan_; }
  const v1::WorkloadSpec& spec() const { return plan_.spec(); }
  const std::vector<PoolGroup>& groups() const { return groups_; }
  uint32_t num_workers() const { return num_workers_; }
  bool one_process() const { return one_process_; }
  int arena_fd() const { return arena_fd_.get(); }
  // When all who map the arena have mapped it: from then on nobody can change its size by accident.
  void CloseArena() { arena_fd_ = UniqueFd(); }

  const PoolGroup& GroupOfWorker(uint32_t worker) const;
  // Members of the group instance that begins with `worker`.
  WorkerRange InstanceFrom(uint32_t worker) const;
  WorkerPlace PlaceOf(uint32_t worker) const;
  // Null: inherited.
  const CpuSet* CpusOf(uint32_t worker) const;
  // Longest drain bound of the pool's work types.
  uint64_t DrainBoundNs() const;

  // Learns from the arena's host table where each group's parts lie, and writes the wake order: real-time and deadline
  // groups first, then ordinary ones, batch, idle. INVALID_ARGUMENT: it is not this pool's arena.
  absl::Status BindArena(const arena::Arena& arena);
  // After BindArena: a worker's position in the wake tree, and the parts of the arena that are these workers' own.
  uint32_t WakePositionOf(uint32_t worker) const;
  arena::Range PartOf(uint32_t worker) const;
  arena::Range PartsOf(WorkerRange workers) const;

 private:
  absl::Status AddGroup(uint32_t group_idx);
  absl::Status BindGroup(const arena::Arena& arena, PoolGroup* group);
  void OrderWakes(const arena::Arena& arena);

  control::Plan plan_;
  UniqueFd arena_fd_;
  std::vector<UniqueFd> cgroups_;
  std::vector<PoolGroup> groups_;
  uint32_t num_workers_ = 0;
  bool one_process_ = false;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_POOL_H_
