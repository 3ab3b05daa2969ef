// From an affinity intent to CPUs.
#ifndef MUSTER_DAEMON_SPEC_RESOLVE_AFFINITY_H_
#define MUSTER_DAEMON_SPEC_RESOLVE_AFFINITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cpu_set.h"
#include "daemon/spec/topology.h"
#include "muster/v1/workload.pb.h"

namespace muster {

// The group whose intent is resolved.
struct AffinityContext {
  const Topology* topology = nullptr;
  // CPUs that the group's cgroup leaves to it.
  CpuSet pool;
  uint32_t num_workers = 0;
  // Of the group's random draws.
  uint64_t seed = 1;
};

struct ResolvedAffinity {
  // Inherit, Exact or RandomSubset.
  v1::Affinity affinity;
  // Per worker where workers differ.
  std::vector<std::string> worker_cpus;
  // Of every worker otherwise; empty: inherited.
  std::string cpus;
};

// `field` is the affinity's path. INVALID_ARGUMENT: a set has nothing in common with the pool; FAILED_PRECONDITION: the
// machine, or what the cgroup leaves of it, is not what the intent needs.
absl::StatusOr<ResolvedAffinity> ResolveAffinity(const v1::Affinity& affinity, const AffinityContext& context,
                                                 const std::string& field);

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_RESOLVE_AFFINITY_H_
