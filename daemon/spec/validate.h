// Whether a WorkloadSpec is right, as far as the daemon can tell without the worker binary.
#ifndef MUSTER_DAEMON_SPEC_VALIDATE_H_
#define MUSTER_DAEMON_SPEC_VALIDATE_H_

#include "absl/status/status.h"
#include "daemon/spec/limits.h"
#include "daemon/spec/topology.h"
#include "muster/v1/workload.pb.h"

namespace muster {

// What the answer depends on besides the spec.
struct ValidationContext {
  const Limits* limits = nullptr;
  const Topology* topology = nullptr;
  // Custom programs may run.
  bool allow_exec = false;
};

// The first thing that is wrong, in this order, groups within a step from the primary one on:
//   0. a spec above max_spec_bytes
//   1. zero, missing or contradictory worker counts
//   2. more workers than max_workers
//   3. memory policies and their flags
//   4. clone mode and pcomm
//   5. group by group: work, affinity, scheduling policy, nice, name, ids, node, cgroup
//   6. the pool's cgroups, sample and migration caps, durations
// INVALID_ARGUMENT carries the field's path, RESOURCE_EXHAUSTED the limit, FAILED_PRECONDITION what is missing
// (error_detail.h). What only a work type's own code knows (group sizes, rules between parameters, modes) the pool host
// checks afterwards, before it forks anything. Allocates nothing that grows with a worker count. Any thread.
absl::Status Validate(const v1::WorkloadSpec& spec, const ValidationContext& context);

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_VALIDATE_H_
