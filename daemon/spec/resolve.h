// From a valid WorkloadSpec to one without open questions: every default filled in, every CPU set concrete.
#ifndef MUSTER_DAEMON_SPEC_RESOLVE_H_
#define MUSTER_DAEMON_SPEC_RESOLVE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/cpu_set.h"
#include "daemon/spec/limits.h"
#include "daemon/spec/topology.h"
#include "muster/v1/workload.pb.h"

namespace muster {

// One group, ready to be planned.
struct ResolvedGroup {
  uint32_t num_workers = 0;
  // Relative to the workload root; empty: the pool's own.
  std::string cgroup;
  // One entry per worker where workers differ (RandomSubset, SmtSiblingPair); empty otherwise.
  std::vector<std::string> worker_cpus;
  // What all workers get otherwise; empty: inherited.
  std::string cpus;
};

struct ResolvedSpec {
  // Affinities are Inherit, Exact or RandomSubset.
  v1::WorkloadSpec spec;
  std::vector<ResolvedGroup> groups;
  uint32_t num_workers = 0;
};

struct ResolveContext {
  const Limits* limits = nullptr;
  const Topology* topology = nullptr;
  // Effective CPUs of an existing cgroup, by its name relative to the workload root; "" is the root, and so what a
  // pool's own cgroup will have. NOT_FOUND: it does not exist.
  std::function<absl::StatusOr<CpuSet>(const std::string& cgroup)> effective_cpus;
  // Used when the spec names no seed; not 0.
  uint64_t seed = 1;
};

// `spec` has passed Validate. Acquires nothing: the CPUs of cgroups that the spec itself asks for are foreseen from
// their settings. INVALID_ARGUMENT, NOT_FOUND and FAILED_PRECONDITION name the field: no CPU of the set is in the
// target cpuset, no such cgroup, the machine has no core with two threads; RESOURCE_EXHAUSTED: workers_pct asks for too
// many workers.
absl::StatusOr<ResolvedSpec> Resolve(const v1::WorkloadSpec& spec, const ResolveContext& context);

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_RESOLVE_H_
