// The cgroups that every daemon has: their names, and how they go. Shared by the daemon and its janitor.
//
//   BASE/supervisor                   the daemon itself, when BASE was delegated to it
//   BASE/muster/<instance>            held with flock(2) while the instance lives
//   BASE/muster/<instance>/workload   all workers
#ifndef MUSTER_BASE_INSTANCE_TREE_H_
#define MUSTER_BASE_INSTANCE_TREE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/cgroup_dir.h"
#include "base/deadline.h"

namespace muster {

inline constexpr char kRootCgroup[] = "muster";
inline constexpr char kWorkloadCgroup[] = "workload";
inline constexpr char kSupervisorCgroup[] = "supervisor";

// Kills all that lives in BASE/muster/<instance>, removes it, and BASE/muster too unless other instances stand there.
// Only when `locked` is still that directory: another instance of the same name is left alone. Removing it again
// succeeds.
absl::Status RemoveInstanceTree(const CgroupDir& base, absl::string_view instance, const CgroupDir& locked,
                                Deadline deadline);

}  // namespace muster

#endif  // MUSTER_BASE_INSTANCE_TREE_H_
