#include "daemon/spec/resolve.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/spec/duration.h"
#include "daemon/spec/resolve_affinity.h"
#include "daemon/spec/splitmix.h"
#include "worker/arena/layout.h"
#include "worker/control/spec.h"

namespace muster {
namespace {

constexpr uint32_t kDefaultMigrations = 256;
constexpr int64_t kDefaultGapNs = 2'000'000'000;
constexpr int64_t kDefaultDurationNs = 1'000'000'000;

std::string ParentOf(const std::string& cgroup) {
  const size_t slash = cgroup.rfind('/');
  return slash == std::string::npos ? "" : cgroup.substr(0, slash);
}

// CPUs of cgroups, those included that the spec asks for and that do not exist yet.
class Cpusets {
 public:
  Cpusets(const v1::WorkloadSpec& spec, const ResolveContext& context) : context_(context) {
    for (const v1::CgroupSpec& cgroup : spec.cgroups()) wanted_[cgroup.name()] = &cgroup;
  }

  absl::StatusOr<CpuSet> Of(const std::string& cgroup) const {
    const auto wanted = wanted_.find(cgroup);
    if (wanted == wanted_.end()) return OfExisting(cgroup);
    ASSIGN_OR_RETURN(const CpuSet above, Of(ParentOf(cgroup)));
    if (!wanted->second->settings().has_cpuset_cpus()) return above;
    ASSIGN_OR_RETURN(const CpuSet own, CpuSet::Parse(wanted->second->settings().cpuset_cpus()));
    const CpuSet granted = own.Intersect(above);
    return granted.empty() ? above : granted;  // as the kernel does: cgroup-v2.rst, cpuset.cpus
  }

 private:
  bool IsParentOfWanted(const std::string& cgroup) const {
    const auto after = wanted_.lower_bound(cgroup + "/");
    return !cgroup.empty() && after != wanted_.end() && absl::StartsWith(after->first, cgroup + "/");
  }

  absl::StatusOr<CpuSet> OfExisting(const std::string& cgroup) const {
    absl::StatusOr<CpuSet> cpus = context_.effective_cpus(cgroup);
    // One that will be made on the way to another has no settings.
    return absl::IsNotFound(cpus.status()) && IsParentOfWanted(cgroup) ? Of(ParentOf(cgroup)) : cpus;
  }

  const ResolveContext& context_;
  std::map<std::string, const v1::CgroupSpec*> wanted_;
};

// Works for the primary group's fields in WorkloadSpec and for GroupSpec alike.
template <typename Group>
void FillGroupDefaults(Group* group) {
  if (!group->has_num_workers() && !group->has_workers_pct()) group->set_num_workers(1);
  if (!group->has_work()) group->mutable_work()->mutable_spin_wait();
  ResolveWork(group->mutable_work());
  if (!group->has_affinity()) group->mutable_affinity()->mutable_inherit();
  if (!group->has_sched_policy()) group->mutable_sched_policy()->mutable_normal();
  if (!group->has_mem_policy()) group->mutable_mem_policy()->mutable_default_policy();
  if (!group->sched_policy().has_deadline()) return;
  auto* policy = group->mutable_sched_policy()->mutable_deadline();
  const bool no_period = policy->period().seconds() == 0 && policy->period().nanos() == 0;
  if (no_period) *policy->mutable_period() = policy->deadline();
}

void FillPoolDefaults(v1::WorkloadSpec* spec, uint64_t seed) {
  if (spec->has_pcomm()) spec->set_clone_mode(v1::THREAD);
  if (!spec->has_clone_mode()) spec->set_clone_mode(v1::FORK);
  for (v1::CgroupSpec& cgroup : *spec->mutable_cgroups()) {
    if (!cgroup.has_kind()) cgroup.set_kind(v1::DOMAIN);
  }
  if (!spec->has_max_samples()) spec->set_max_samples(arena::kMaxSamples);
  if (!spec->has_max_migrations()) spec->set_max_migrations(kDefaultMigrations);
  if (!spec->has_seed()) spec->set_seed(seed);
  if (!spec->has_gap_threshold()) *spec->mutable_gap_threshold() = DurationOfNs(kDefaultGapNs);
  if (!spec->has_duration()) *spec->mutable_duration() = DurationOfNs(kDefaultDurationNs);
}

absl::Status TooMany(double workers, const std::string& field, const Limits& limits) {
  return LimitError(
      "max_workers", limits.max_workers,
      absl::StrCat(field, ": ", workers, " workers are too many for one pool; ask for fewer, or raise the limit"));
}

template <typename Group>
absl::Status ResolveCount(const CpuSet& pool, const std::string& prefix, const Limits& limits, Group* group) {
  if (!group->has_workers_pct()) return absl::OkStatus();
  const double count = std::ceil(static_cast<double>(pool.Count()) * group->workers_pct());
  if (count > static_cast<double>(limits.max_workers)) return TooMany(count, prefix + "workers_pct", limits);
  group->clear_workers_pct();
  group->set_num_workers(std::max<uint32_t>(1, static_cast<uint32_t>(count)));
  return absl::OkStatus();
}

absl::StatusOr<CpuSet> TargetCpus(const std::string& cgroup, const Cpusets& cpusets, const std::string& prefix) {
  absl::StatusOr<CpuSet> cpus = cpusets.Of(cgroup);
  if (absl::IsNotFound(cpus.status())) {
    return absl::NotFoundError(absl::StrCat(prefix, "cgroup: there is no cgroup \"", cgroup,
                                            "\"; make it with CreateCgroup, or name it in the spec's cgroups"));
  }
  if (cpus.ok() && cpus->empty()) {
    return PreconditionError({"CPUSET", cgroup},
                             absl::StrCat(prefix, "cgroup: \"", cgroup, "\" has no CPU; give it some"));
  }
  return cpus;
}

// What the groups have in common while they are resolved.
struct Progress {
  const ResolveContext& context;
  const Cpusets& cpusets;
  SplitMix64 seeds;
  ResolvedSpec* result;
};

template <typename Group>
absl::Status ResolveGroup(const std::string& prefix, Progress* progress, Group* group) {
  ASSIGN_OR_RETURN(const CpuSet pool, TargetCpus(group->cgroup(), progress->cpusets, prefix));
  RETURN_IF_ERROR(ResolveCount(pool, prefix, *progress->context.limits, group));
  const uint64_t total = uint64_t{progress->result->num_workers} + group->num_workers();
  if (total > static_cast<uint64_t>(progress->context.limits->max_workers)) {
    return TooMany(static_cast<double>(total), prefix + "num_workers", *progress->context.limits);
  }
  const AffinityContext context = {progress->context.topology, pool, group->num_workers(), progress->seeds.Next()};
  ASSIGN_OR_RETURN(ResolvedAffinity affinity, ResolveAffinity(group->affinity(), context, prefix + "affinity"));
  *group->mutable_affinity() = std::move(affinity.affinity);
  progress->result->num_workers = static_cast<uint32_t>(total);
  progress->result->groups.push_back(
      {group->num_workers(), group->cgroup(), std::move(affinity.worker_cpus), std::move(affinity.cpus)});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ResolvedSpec> Resolve(const v1::WorkloadSpec& spec, const ResolveContext& context) {
  ResolvedSpec resolved;
  resolved.spec = spec;
  FillPoolDefaults(&resolved.spec, context.seed);
  const Cpusets cpusets(spec, context);
  Progress progress = {context, cpusets, SplitMix64(resolved.spec.seed()), &resolved};
  FillGroupDefaults(&resolved.spec);
  RETURN_IF_ERROR(ResolveGroup(GroupPath(0), &progress, &resolved.spec));
  for (int i = 0; i < spec.composed_size(); ++i) {
    v1::GroupSpec* group = resolved.spec.mutable_composed(i);
    FillGroupDefaults(group);
    RETURN_IF_ERROR(ResolveGroup(GroupPath(static_cast<uint32_t>(i) + 1), &progress, group));
  }
  return resolved;
}

}  // namespace muster
