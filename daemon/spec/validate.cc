#include "daemon/spec/validate.h"

#include <cmath>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/cgroup/name.h"
#include "daemon/spec/duration.h"
#include "daemon/spec/validate_parts.h"
#include "worker/arena/layout.h"
#include "worker/control/spec.h"

namespace muster {
namespace {

absl::Status CheckCgroupName(const std::string& name, const std::string& field) {
  return CgroupPath::Parse(name, field).status();
}

// Calls `check(group, path prefix)` for each group, the primary one first, until one fails.
template <typename Check>
absl::Status ForEachGroup(const v1::WorkloadSpec& spec, Check check) {
  for (uint32_t i = 0; i < NumGroups(spec); ++i) {
    RETURN_IF_ERROR(check(i == 0 ? GroupOf(spec, 0) : spec.composed(static_cast<int>(i) - 1), GroupPath(i)));
  }
  return absl::OkStatus();
}

absl::Status CheckNotZero(const v1::GroupSpec& group, const std::string& prefix) {
  if (!group.has_num_workers() || group.num_workers() != 0) return absl::OkStatus();
  return FieldError(prefix + "num_workers", "zero workers would test nothing and look like success; choose at least 1");
}

absl::Status CheckPercentage(const v1::GroupSpec& group, const std::string& prefix) {
  if (!group.has_workers_pct()) return absl::OkStatus();
  const double pct = group.workers_pct();
  if (!std::isfinite(pct) || pct <= 0) {
    return FieldError(prefix + "workers_pct",
                      absl::StrCat(pct, " is no share of CPUs; choose a number above 0, as 0.5"));
  }
  if (!group.has_num_workers()) return absl::OkStatus();
  return FieldError(prefix + "workers_pct", "num_workers is set too; leave one of them out");
}

absl::Status CheckCounts(const v1::WorkloadSpec& spec) {
  RETURN_IF_ERROR(ForEachGroup(spec, CheckNotZero));
  for (int i = 0; i < spec.composed_size(); ++i) {
    const v1::GroupSpec& group = spec.composed(i);
    const std::string path = absl::StrCat("composed[", i, "]");
    if (group.ByteSizeLong() == 0)
      return FieldError(path, "the group is empty; say num_workers and work, or leave it out");
    if (group.has_num_workers() || group.has_workers_pct()) continue;
    return FieldError(path + ".num_workers", "a composed group has no default; choose at least 1, or set workers_pct");
  }
  return ForEachGroup(spec, CheckPercentage);
}

absl::Status CheckTotal(const v1::WorkloadSpec& spec, const Limits& limits) {
  uint64_t total = spec.has_num_workers() ? spec.num_workers() : spec.has_workers_pct() ? 0 : 1;
  for (const v1::GroupSpec& group : spec.composed()) total += group.num_workers();
  if (total <= static_cast<uint64_t>(limits.max_workers)) return absl::OkStatus();
  return LimitError(
      "max_workers", limits.max_workers,
      absl::StrCat("num_workers: ", total, " workers are too many for one pool; ask for fewer, or raise the limit"));
}

absl::Status CheckMemory(const v1::GroupSpec& group, const std::string& prefix) {
  if (group.has_mem_policy()) RETURN_IF_ERROR(CheckMemPolicy(group.mem_policy(), prefix + "mem_policy"));
  for (int i = 0; i < group.mpol_flags_size(); ++i) {
    const int flag = group.mpol_flags(i);
    if (v1::MpolFlag_IsValid(flag) && flag != v1::MPOL_FLAG_UNSPECIFIED) continue;
    return FieldError(absl::StrCat(prefix, "mpol_flags[", i, "]"),
                      absl::StrCat(flag, " is no flag; choose among STATIC_NODES, RELATIVE_NODES, NUMA_BALANCING"));
  }
  return absl::OkStatus();
}

absl::Status CheckCloneMode(const v1::WorkloadSpec& spec) {
  if (spec.has_clone_mode()) {
    const int mode = spec.clone_mode();
    if (!v1::CloneMode_IsValid(mode) || mode == v1::CLONE_MODE_UNSPECIFIED) {
      return FieldError("clone_mode", absl::StrCat(mode, " is no clone mode; choose FORK or THREAD, or leave it out"));
    }
    if (spec.has_pcomm() && mode != v1::THREAD) {
      return FieldError("clone_mode", "pcomm makes the pool one process; leave clone_mode out, or say THREAD");
    }
  }
  if (!spec.has_pcomm()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckTaskName(spec.pcomm().name(), "pcomm.name"));
  if (spec.pcomm().has_uid()) RETURN_IF_ERROR(CheckId(spec.pcomm().uid(), "pcomm.uid"));
  if (spec.pcomm().has_gid()) RETURN_IF_ERROR(CheckId(spec.pcomm().gid(), "pcomm.gid"));
  return absl::OkStatus();
}

// Nice, name, ids, node, cgroup.
absl::Status CheckTaskSettings(const v1::GroupSpec& group, const std::string& prefix) {
  if (group.has_nice() && (group.nice() < -20 || group.nice() > 19)) {
    return FieldError(prefix + "nice", absl::StrCat(group.nice(), " is out of range; choose -20 to 19"));
  }
  if (group.has_comm()) RETURN_IF_ERROR(CheckTaskName(group.comm(), prefix + "comm"));
  if (group.has_uid()) RETURN_IF_ERROR(CheckId(group.uid(), prefix + "uid"));
  if (group.has_gid()) RETURN_IF_ERROR(CheckId(group.gid(), prefix + "gid"));
  if (group.has_numa_node() && group.numa_node() > arena::kMaxNodeId) {
    return FieldError(prefix + "numa_node",
                      absl::StrCat("node ", group.numa_node(), " is above the largest number, ", arena::kMaxNodeId));
  }
  return group.has_cgroup() ? CheckCgroupName(group.cgroup(), prefix + "cgroup") : absl::OkStatus();
}

absl::Status CheckGroup(const v1::GroupSpec& group, const std::string& prefix, const v1::WorkloadSpec& spec,
                        const ValidationContext& context) {
  if (group.has_work()) {
    RETURN_IF_ERROR(CheckWork(group.work(), {IsOneProcess(spec), context.allow_exec}, prefix + "work"));
  }
  if (group.has_affinity()) {
    RETURN_IF_ERROR(CheckAffinity(group.affinity(), context.topology->online, prefix + "affinity"));
  }
  if (group.has_sched_policy()) {
    RETURN_IF_ERROR(
        CheckSchedPolicy(group.sched_policy(), context.limits->max_worker_rt_priority, prefix + "sched_policy"));
  }
  return CheckTaskSettings(group, prefix);
}

absl::Status CheckCgroups(const v1::WorkloadSpec& spec) {
  std::set<std::string> names;
  for (int i = 0; i < spec.cgroups_size(); ++i) {
    const std::string field = absl::StrCat("cgroups[", i, "].name");
    const std::string& name = spec.cgroups(i).name();
    RETURN_IF_ERROR(CheckCgroupName(name, field));
    if (names.insert(name).second) continue;
    return FieldError(field, absl::StrCat("\"", name, "\" stands in the list already; name each cgroup once"));
  }
  return absl::OkStatus();
}

absl::Status CheckAboveZero(const google::protobuf::Duration& duration, const std::string& field) {
  ASSIGN_OR_RETURN(const int64_t ns, DurationNs(duration, field));
  return ns > 0 ? absl::OkStatus() : FieldError(field, "must be above zero");
}

absl::Status CheckAtMost(uint32_t value, uint32_t max, const std::string& field) {
  if (value <= max) return absl::OkStatus();
  return FieldError(field, absl::StrCat(value, " is above the maximum ", max, "; choose 0 to ", max));
}

absl::Status CheckPoolSettings(const v1::WorkloadSpec& spec) {
  RETURN_IF_ERROR(CheckCgroups(spec));
  RETURN_IF_ERROR(CheckAtMost(spec.max_samples(), arena::kMaxSamples, "max_samples"));
  RETURN_IF_ERROR(CheckAtMost(spec.max_migrations(), arena::kMaxMigrations, "max_migrations"));
  if (spec.has_gap_threshold()) RETURN_IF_ERROR(CheckAboveZero(spec.gap_threshold(), "gap_threshold"));
  if (spec.has_duration()) RETURN_IF_ERROR(CheckAboveZero(spec.duration(), "duration"));
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const v1::WorkloadSpec& spec, const ValidationContext& context) {
  const size_t bytes = spec.ByteSizeLong();
  if (bytes > static_cast<size_t>(context.limits->max_spec_bytes)) {
    return LimitError("max_spec_bytes", context.limits->max_spec_bytes,
                      absl::StrCat("the spec has ", bytes, " bytes; make it smaller, or raise the limit"));
  }
  RETURN_IF_ERROR(CheckCounts(spec));
  RETURN_IF_ERROR(CheckTotal(spec, *context.limits));
  RETURN_IF_ERROR(ForEachGroup(spec, CheckMemory));
  RETURN_IF_ERROR(CheckCloneMode(spec));
  RETURN_IF_ERROR(ForEachGroup(spec, [&](const v1::GroupSpec& group, const std::string& prefix) {
    return CheckGroup(group, prefix, spec, context);
  }));
  return CheckPoolSettings(spec);
}

}  // namespace muster
