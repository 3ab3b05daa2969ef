// Reading a WorkloadSpec: its groups as one list, and its work types' parameters by the rules of their descriptors.
#ifndef MUSTER_WORKER_CONTROL_SPEC_H_
#define MUSTER_WORKER_CONTROL_SPEC_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "muster/v1/workload.pb.h"

namespace muster {

// Groups of a spec: the primary one and the composed ones.
inline uint32_t NumGroups(const v1::WorkloadSpec& spec) { return 1 + spec.composed_size(); }

// Group 0 is the primary one, whose fields stand in the spec itself.
v1::GroupSpec GroupOf(const v1::WorkloadSpec& spec, uint32_t group_idx);

// Path prefix of a group's fields in error texts: "" for the primary one, "composed[0]." for group 1.
std::string GroupPath(uint32_t group_idx);

// Fills in the default of every absent parameter of the set work type (recursively through sub-messages that are
// present). A work without a type is left as it is.
void ResolveWork(v1::Work* work);

// Checks every present parameter of the set work type against its rule's range (a Duration without a rule must not be
// negative), that enum values are known and not UNSPECIFIED, and that every oneof has an arm set. INVALID_ARGUMENT; the
// message begins with the path below the work, as "pipe_io.burst_iters: 5000000000 is above its maximum 1000000000;
// choose 0 to 1000000000" or "type: none is set; choose one of ...".
absl::Status CheckWorkRanges(const v1::Work& work);

// PascalCase name of the set work type ("PipeIo"), or a Custom's label when it has one. "" when no type is set.
std::string WorkName(const v1::Work& work);

// The task process of a pool is one for all its workers: thread mode or pcomm.
inline bool IsOneProcess(const v1::WorkloadSpec& spec) { return spec.has_pcomm() || spec.clone_mode() == v1::THREAD; }

}  // namespace muster

#endif  // MUSTER_WORKER_CONTROL_SPEC_H_
