#include "worker/host/pool.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "worker/control/spec.h"
#include "worker/host/admission.h"

namespace muster::host {
namespace {

// One output of splitmix64: neighbouring inputs give unrelated outputs.
uint64_t Scatter(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Rank of a scheduling class: a worker is never woken by one that the scheduler prefers less.
int ClassRank(const v1::SchedPolicy& policy) {
  switch (policy.policy_case()) {
    case v1::SchedPolicy::kFifo:
    case v1::SchedPolicy::kRoundRobin:
    case v1::SchedPolicy::kDeadline:
      return 0;
    case v1::SchedPolicy::kBatch:
      return 2;
    case v1::SchedPolicy::kIdle:
      return 3;
    default:
      return 1;
  }
}

absl::StatusOr<std::vector<CpuSet>> ReadCpus(const control::GroupPlan& plan, const v1::GroupSpec& spec) {
  std::vector<CpuSet> sets;
  for (const std::string& text : plan.worker_cpus()) {
    ASSIGN_OR_RETURN(CpuSet set, CpuSet::Parse(text));
    sets.push_back(std::move(set));
  }
  if (sets.empty() && spec.affinity().has_exact()) {
    ASSIGN_OR_RETURN(CpuSet set, CpuSet::Parse(spec.affinity().exact().cpus()));
    sets.push_back(std::move(set));
  }
  if (sets.size() > 1 && sets.size() != plan.num_workers()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the plan has ", sets.size(), " CPU sets for ", plan.num_workers(), " workers"));
  }
  return sets;
}

}  // namespace

absl::StatusOr<Pool> Pool::Make(control::Plan plan, std::vector<UniqueFd> descriptors) {
  RETURN_IF_ERROR(Admit(plan));
  if (descriptors.empty()) return absl::InvalidArgumentError("no arena came with the plan");
  Pool pool;
  pool.plan_ = std::move(plan);
  pool.arena_fd_ = std::move(descriptors[0]);
  pool.cgroups_.assign(std::make_move_iterator(descriptors.begin() + 1), std::make_move_iterator(descriptors.end()));
  pool.one_process_ = IsOneProcess(pool.spec());
  for (int i = 0; i < pool.plan_.groups_size(); ++i) RETURN_IF_ERROR(pool.AddGroup(i));
  return pool;
}

absl::Status Pool::AddGroup(uint32_t group_idx) {
  const control::GroupPlan& plan = plan_.groups(group_idx);
  PoolGroup group;
  group.spec = GroupOf(plan_.spec(), group_idx);
  group.group_idx = group_idx;
  group.first_worker = num_workers_;
  group.num_workers = plan.num_workers();
  if (!IsProgram(group.spec.work())) {
    group.type = FindWorkType(group.spec.work().type_case());
    group.instance_size = group.type->GroupSize(group.spec.work());
    group.plumbing = group.type->Plumb(group.spec.work());
  }
  if (plan.cgroup_fd() < cgroups_.size()) {
    group.cgroup_fd = cgroups_[plan.cgroup_fd()].get();
  } else if (!cgroups_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("group ", group_idx, " of the plan names cgroup ", plan.cgroup_fd(), " of ", cgroups_.size()));
  }
  absl::StatusOr<std::vector<CpuSet>> cpus = ReadCpus(plan, group.spec);
  if (!cpus.ok()) return FieldError(absl::StrCat(GroupPath(group_idx), "affinity"), cpus.status().message());
  group.cpus = *std::move(cpus);
  num_workers_ += group.num_workers;
  groups_.push_back(std::move(group));
  return absl::OkStatus();
}

const PoolGroup& Pool::GroupOfWorker(uint32_t worker) const {
  const auto after = std::upper_bound(groups_.begin(), groups_.end(), worker,
                                      [](uint32_t w, const PoolGroup& group) { return w < group.first_worker; });
  return *std::prev(after);
}

WorkerRange Pool::InstanceFrom(uint32_t worker) const { return {worker, GroupOfWorker(worker).instance_size}; }

WorkerPlace Pool::PlaceOf(uint32_t worker) const {
  const PoolGroup& group = GroupOfWorker(worker);
  const uint32_t index = worker - group.first_worker;
  WorkerPlace place;
  place.worker = worker;
  place.group_idx = group.group_idx;
  place.position = index % group.instance_size;
  place.group_size = group.instance_size;
  place.instance = index / group.instance_size;
  place.in_thread = one_process_;
  place.seed = std::max<uint64_t>(1, Scatter(Scatter(spec().seed()) + worker));
  return place;
}

const CpuSet* Pool::CpusOf(uint32_t worker) const {
  const PoolGroup& group = GroupOfWorker(worker);
  if (group.cpus.empty()) return nullptr;
  return &group.cpus[group.cpus.size() == 1 ? 0 : worker - group.first_worker];
}

uint64_t Pool::DrainBoundNs() const {
  int64_t longest_ns = 0;
  for (const PoolGroup& group : groups_) {
    if (group.is_program()) continue;
    longest_ns = std::max(longest_ns, absl::ToInt64Nanoseconds(group.type->DrainBound(group.spec.work())));
  }
  return longest_ns;
}

absl::Status Pool::BindArena(const arena::Arena& arena) {
  if (arena.num_workers() != num_workers_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the arena is for ", arena.num_workers(), " workers, the plan for ", num_workers_));
  }
  for (PoolGroup& group : groups_) RETURN_IF_ERROR(BindGroup(arena, &group));
  OrderWakes(arena);
  return absl::OkStatus();
}

absl::Status Pool::BindGroup(const arena::Arena& arena, PoolGroup* group) {
  const arena::HostEntry& first = arena.host(group->first_worker);
  group->shape = arena::ShapeOf(first);
  group->part = {first.part_offset, arena::PartBytes(group->shape)};
  for (uint32_t i = 0; i < group->num_workers; ++i) {
    const arena::HostEntry& entry = arena.host(group->first_worker + i);
    if (entry.bulk_bytes != first.bulk_bytes || entry.part_offset != group->part.offset + i * group->part.bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("the arena's parts for group ", group->group_idx, " do not follow each other"));
    }
  }
  return absl::OkStatus();
}

void Pool::OrderWakes(const arena::Arena& arena) {
  std::vector<PoolGroup*> ranked;
  for (PoolGroup& group : groups_) ranked.push_back(&group);
  std::stable_sort(ranked.begin(), ranked.end(), [](const PoolGroup* a, const PoolGroup* b) {
    return ClassRank(a->spec.sched_policy()) < ClassRank(b->spec.sched_policy());
  });
  uint32_t position = 0;
  for (PoolGroup* group : ranked) {
    group->wake_base = position;
    for (uint32_t i = 0; i < group->num_workers; ++i) arena.wake_order()[position++] = group->first_worker + i;
  }
}

uint32_t Pool::WakePositionOf(uint32_t worker) const {
  const PoolGroup& group = GroupOfWorker(worker);
  return group.wake_base + worker - group.first_worker;
}

arena::Range Pool::PartsOf(WorkerRange workers) const {
  if (workers.count == 0) return {};
  const arena::Range first = PartOf(workers.first);
  const arena::Range last = PartOf(workers.first + workers.count - 1);
  return {first.offset, last.offset + last.bytes - first.offset};
}

arena::Range Pool::PartOf(uint32_t worker) const {
  const PoolGroup& group = GroupOfWorker(worker);
  return {group.part.offset + (worker - group.first_worker) * group.part.bytes, group.part.bytes};
}

}  // namespace muster::host
