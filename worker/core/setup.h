// What a worker does to itself before its gate: affinity, scheduling policy, memory policy, nice, name, gid, uid, node.
#ifndef MUSTER_WORKER_CORE_SETUP_H_
#define MUSTER_WORKER_CORE_SETUP_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/cpu_set.h"
#include "muster/v1/workload.pb.h"
#include "worker/arena/layout.h"

namespace muster {

inline constexpr char kNodeRoot[] = "/sys/devices/system/node";

struct SetupRequest {
  const v1::GroupSpec* group = nullptr;
  const CpuSet* cpus = nullptr;  // null: inherited
  uint32_t max_rt_priority = 98;
  absl::string_view node_root = kNodeRoot;
};

// Applies to the calling thread, in this order, what the request asks for; what is absent is left alone. A step that
// fails leaves its text in `errors` (kSetupSteps of them, cleared first) and the others go on. May be repeated, also
// after the thread has given up its privileges: a scheduling policy that is in force already is not set again. Where
// the credentials change, arms the death signal again; ends the process when its parent has died meanwhile.
void RunSetup(const SetupRequest& request, arena::ErrorText* errors);

// The single steps, for the calling thread.
absl::Status SetSchedPolicy(const v1::SchedPolicy& policy, uint32_t max_rt_priority);
absl::Status SetMemPolicy(const v1::GroupSpec& group);

// To which `numa_node` pins a worker. FAILED_PRECONDITION: the node has memory only.
absl::StatusOr<CpuSet> CpusOfNode(uint32_t node, absl::string_view root = kNodeRoot);

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_SETUP_H_
