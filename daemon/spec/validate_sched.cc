#include <string>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/spec/duration.h"
#include "daemon/spec/validate_parts.h"
#include "worker/arena/layout.h"

namespace muster {
namespace {

constexpr int64_t kMinRuntimeNs = 1024;  // the kernel's DL_SCALE: a smaller runtime is none at all

absl::Status CheckCpus(const std::string& text, const CpuSet& online, const std::string& field,
                       absl::string_view if_empty) {
  const auto cpus = CpuSet::Parse(text);
  if (!cpus.ok()) return FieldError(field, cpus.status().message());
  if (cpus->empty()) return FieldError(field, absl::StrCat("the set is empty; ", if_empty));
  if (cpus->Ids().back() > arena::kMaxCpuId) {
    return FieldError(field,
                      absl::StrCat("CPU ", cpus->Ids().back(), " is above the largest number, ", arena::kMaxCpuId));
  }
  for (const uint32_t cpu : cpus->Ids()) {
    if (online.Contains(cpu)) continue;
    return FieldError(field,
                      absl::StrCat("CPU ", cpu, " does not exist or is offline; choose among ", online.ToString()));
  }
  return absl::OkStatus();
}

absl::Status CheckNodes(const std::string& text, absl::string_view policy, const std::string& field) {
  const auto nodes = CpuSet::Parse(text);
  if (!nodes.ok()) return FieldError(field, nodes.status().message());
  if (nodes->empty()) {
    return FieldError(field, absl::StrCat("the node set is empty; ", policy, " needs at least one node, as \"0-1\""));
  }
  if (nodes->Ids().back() > arena::kMaxNodeId) {
    return FieldError(field,
                      absl::StrCat("node ", nodes->Ids().back(), " is above the largest number, ", arena::kMaxNodeId));
  }
  return absl::OkStatus();
}

absl::Status CheckPriority(uint32_t priority, int64_t max, const std::string& field) {
  if (priority >= 1 && priority <= max) return absl::OkStatus();
  return FieldError(field, absl::StrCat(priority, " is no priority for a worker; choose 1 to ", max,
                                        " (limit max_worker_rt_priority)"));
}

absl::Status CheckDeadlinePolicy(const v1::SchedPolicy::Deadline& policy, const std::string& field) {
  const std::string runtime_field = field + ".runtime";
  const std::string deadline_field = field + ".deadline";
  const std::string period_field = field + ".period";
  ASSIGN_OR_RETURN(const int64_t runtime, DurationNs(policy.runtime(), runtime_field));
  ASSIGN_OR_RETURN(const int64_t deadline, DurationNs(policy.deadline(), deadline_field));
  ASSIGN_OR_RETURN(const int64_t period, DurationNs(policy.period(), period_field));
  if (deadline <= 0) return FieldError(deadline_field, "must be above zero");
  if (runtime < kMinRuntimeNs) {
    return FieldError(runtime_field, absl::StrCat(runtime, " ns is too short; choose at least ", kMinRuntimeNs, " ns"));
  }
  if (runtime > deadline) {
    return FieldError(runtime_field, absl::StrCat(runtime, " ns does not fit into ", deadline, " ns; shorten it"));
  }
  if (period != 0 && period < deadline) {
    return FieldError(period_field,
                      absl::StrCat(period, " ns is below ", deadline, " ns; lengthen it, or leave it out"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAffinity(const v1::Affinity& affinity, const CpuSet& online, const std::string& field) {
  switch (affinity.intent_case()) {
    case v1::Affinity::kExact:
      return CheckCpus(affinity.exact().cpus(), online, field + ".exact.cpus",
                       "say inherit {} to leave the mask alone, or name CPUs, as \"0-3\"");
    case v1::Affinity::kRandomSubset:
      RETURN_IF_ERROR(CheckCpus(affinity.random_subset().from(), online, field + ".random_subset.from",
                                "name the CPUs to draw from, as \"0-3\""));
      if (affinity.random_subset().count() == 0) {
        return FieldError(field + ".random_subset.count", "no CPU would be drawn; choose at least 1");
      }
      return absl::OkStatus();
    case v1::Affinity::INTENT_NOT_SET:
      return FieldError(field, "no intent is set; choose one, as inherit {}, or leave the affinity out");
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckSchedPolicy(const v1::SchedPolicy& policy, int64_t max_rt_priority, const std::string& field) {
  switch (policy.policy_case()) {
    case v1::SchedPolicy::kFifo:
      return CheckPriority(policy.fifo().priority(), max_rt_priority, field + ".fifo.priority");
    case v1::SchedPolicy::kRoundRobin:
      return CheckPriority(policy.round_robin().priority(), max_rt_priority, field + ".round_robin.priority");
    case v1::SchedPolicy::kDeadline:
      return CheckDeadlinePolicy(policy.deadline(), field + ".deadline");
    case v1::SchedPolicy::POLICY_NOT_SET:
      return FieldError(field, "no policy is set; choose one, as normal {}, or leave the policy out");
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckMemPolicy(const v1::MemPolicy& policy, const std::string& field) {
  switch (policy.policy_case()) {
    case v1::MemPolicy::kBind:
      return CheckNodes(policy.bind().nodes(), "bind", field + ".bind.nodes");
    case v1::MemPolicy::kInterleave:
      return CheckNodes(policy.interleave().nodes(), "interleave", field + ".interleave.nodes");
    case v1::MemPolicy::kPreferredMany:
      return CheckNodes(policy.preferred_many().nodes(), "preferred_many", field + ".preferred_many.nodes");
    case v1::MemPolicy::kWeightedInterleave:
      return CheckNodes(policy.weighted_interleave().nodes(), "weighted_interleave",
                        field + ".weighted_interleave.nodes");
    case v1::MemPolicy::kPreferred:
      return CheckNodes(absl::StrCat(policy.preferred().node()), "preferred", field + ".preferred.node");
    case v1::MemPolicy::POLICY_NOT_SET:
      return FieldError(field, "no policy is set; choose one, as local {}, or leave the memory policy out");
    default:
      return absl::OkStatus();
  }
}

}  // namespace muster
