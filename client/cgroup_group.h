// A set of cgroups that ends with a scope.
#ifndef MUSTER_CLIENT_CGROUP_GROUP_H_
#define MUSTER_CLIENT_CGROUP_GROUP_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/cpu_set.h"
#include "client/call_options.h"
#include "client/cgroup_manager.h"

namespace muster {

// Owns cgroups: the destructor removes them, the last made first, kills what is still inside, logs what it could not
// remove, and takes at most ten seconds for each. Declare it before the workload handles whose workers go inside, so
// that those end first. Move-only; a moved-from group is empty. Thread-compatible.
class CgroupGroup {
 public:
  explicit CgroupGroup(const Client& client) : manager_(client) {}
  CgroupGroup(CgroupGroup&& other) noexcept;
  CgroupGroup& operator=(CgroupGroup&&) = delete;
  ~CgroupGroup();

  // Makes a cgroup whose cpuset is `cpus`, which must not be empty.
  absl::Status AddCgroup(absl::string_view name, const CpuSet& cpus, CallOptions options = {});

  // Makes a cgroup and leaves its cpuset alone.
  absl::Status AddCgroupNoCpuset(absl::string_view name, CallOptions options = {});

  // Makes a cgroup with any settings.
  absl::Status Add(const v1::CgroupSpec& spec, CallOptions options = {});

  // In the order they were made.
  const std::vector<std::string>& names() const { return names_; }

 private:
  CgroupManager manager_;
  std::vector<std::string> names_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_CGROUP_GROUP_H_
