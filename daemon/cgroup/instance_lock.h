// Which instances are alive: flock(2) on their directories.
#ifndef MUSTER_DAEMON_CGROUP_INSTANCE_LOCK_H_
#define MUSTER_DAEMON_CGROUP_INSTANCE_LOCK_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/cgroup_dir.h"
#include "base/deadline.h"

namespace muster {

struct LockedInstance {
  CgroupDir root;
  // Locked, until the last duplicate of its descriptor is closed, in this process or in another.
  CgroupDir directory;
};

// Makes BASE/muster/<name> and locks it, against others who remove either of them meanwhile. FAILED_PRECONDITION:
// another one held it until `deadline`.
absl::StatusOr<LockedInstance> LockInstance(const CgroupDir& base, absl::string_view name, Deadline deadline);

// Kills and removes all instances below `root` that nobody holds. Returns how many had been in use; they are logged.
int RemoveStaleInstances(const CgroupDir& root, Deadline deadline);

}  // namespace muster

#endif  // MUSTER_DAEMON_CGROUP_INSTANCE_LOCK_H_
