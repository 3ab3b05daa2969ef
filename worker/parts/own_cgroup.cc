#include "worker/parts/own_cgroup.h"

#include "absl/strings/str_cat.h"
#include "base/cgroup_mounts.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster {

absl::StatusOr<std::string> OwnCgroupPath() {
  ASSIGN_OR_RETURN(const std::string mountinfo, ReadFile("/proc/self/mountinfo"));
  ASSIGN_OR_RETURN(const std::string mount, FindCgroup2Mount(mountinfo));
  ASSIGN_OR_RETURN(const std::string membership, ReadFile("/proc/self/cgroup"));
  ASSIGN_OR_RETURN(const std::string path, ParseCgroupFile(membership));
  return path == "/" ? mount : absl::StrCat(mount, path);
}

}  // namespace muster
