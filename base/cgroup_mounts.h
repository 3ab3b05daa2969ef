// Where cgroups are mounted, from the text of procfs files.
#ifndef MUSTER_BASE_CGROUP_MOUNTS_H_
#define MUSTER_BASE_CGROUP_MOUNTS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster {

// Mount point of version 2 from the text of /proc/PID/mountinfo, wherever it is mounted (also beside version 1, in a
// hybrid system). One that shows the hierarchy's root is preferred over a bind mount of a part. NOT_FOUND says how to
// mount it.
absl::StatusOr<std::string> FindCgroup2Mount(absl::string_view mountinfo);

// Controllers that a mounted version 1 hierarchy holds, each with its mount point; version 2 cannot have them.
std::map<std::string, std::string> FindCgroup1Controllers(absl::string_view mountinfo);

// Path of the version 2 cgroup, as "/a/b", within the text of /proc/PID/cgroup: its line "0::". Empty: there is none.
// Allocates nothing.
absl::string_view CgroupPathIn(absl::string_view text);

// The same as a string of its own; NOT_FOUND: there is none.
absl::StatusOr<std::string> ParseCgroupFile(absl::string_view text);

}  // namespace muster

#endif  // MUSTER_BASE_CGROUP_MOUNTS_H_
