// The caller's own cgroup.
#ifndef MUSTER_WORKER_PARTS_OWN_CGROUP_H_
#define MUSTER_WORKER_PARTS_OWN_CGROUP_H_

#include <string>

#include "absl/status/statusor.h"

namespace muster {

// Absolute path of the directory of the version 2 cgroup that the calling process is in.
absl::StatusOr<std::string> OwnCgroupPath();

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_OWN_CGROUP_H_
