#include "daemon/cgroup/controllers.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/cgroup_mounts.h"

namespace muster {
namespace {

constexpr absl::string_view kControllers[] = {"cpu", "cpuset", "io", "memory", "pids"};

bool Has(const std::vector<std::string>& names, absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Version 1 and /proc/cgroups call io by its old name.
absl::string_view OldName(absl::string_view controller) { return controller == "io" ? "blkio" : controller; }

// Row of /proc/cgroups: name, hierarchy (0: none of version 1), number of cgroups, enabled.
std::vector<std::string> FindRow(absl::string_view proc_cgroups, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(proc_cgroups, '\n')) {
    std::vector<std::string> row = absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
    if (row.size() == 4 && row[0] == name) return row;
  }
  return {};
}

std::string ReasonFor(const ControllerEvidence& evidence, absl::string_view controller) {
  if (Has(evidence.hierarchy, controller)) {
    return absl::StrCat("not delegated to ", evidence.base_path,
                        "; enable it in the cgroup.subtree_control of its parent (systemd: Delegate=yes)");
  }
  const absl::string_view old_name = OldName(controller);
  const std::map<std::string, std::string> version1 = FindCgroup1Controllers(evidence.mountinfo);
  if (const auto found = version1.find(std::string(old_name)); found != version1.end()) {
    return absl::StrCat("bound to the version 1 hierarchy at ", found->second,
                        "; boot with cgroup_no_v1=all or systemd.unified_cgroup_hierarchy=1");
  }
  const std::vector<std::string> row = FindRow(evidence.proc_cgroups, old_name);
  if (!row.empty() && row[3] == "0") return "disabled on the kernel's command line (cgroup_disable=)";
  if (!row.empty() && row[1] != "0") return "bound to a version 1 hierarchy that is not mounted here";
  return "not in this kernel";
}

}  // namespace

std::vector<ControllerStatus> ExplainControllers(const ControllerEvidence& evidence) {
  std::vector<ControllerStatus> statuses;
  for (absl::string_view name : kControllers) {
    const bool available = Has(evidence.base, name);
    statuses.push_back({std::string(name), available, available ? "" : ReasonFor(evidence, name)});
  }
  return statuses;
}

}  // namespace muster
