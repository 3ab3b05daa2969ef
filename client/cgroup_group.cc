#include "client/cgroup_group.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster {

CgroupGroup::CgroupGroup(CgroupGroup&& other) noexcept
    : manager_(other.manager_), names_(std::exchange(other.names_, {})) {}

CgroupGroup::~CgroupGroup() {
  for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
    const absl::Status status = manager_.Remove(*name, {.timeout = absl::Seconds(10)});
    if (!status.ok() && !absl::IsNotFound(status)) LogWarning(status.message());
  }
}

absl::Status CgroupGroup::AddCgroup(absl::string_view name, const CpuSet& cpus, CallOptions options) {
  if (cpus.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cgroup ", name, ": an empty cpuset; name at least one CPU, or use AddCgroupNoCpuset"));
  }
  v1::CgroupSpec spec;
  spec.set_name(std::string(name));
  spec.mutable_settings()->set_cpuset_cpus(cpus.ToString());
  return Add(spec, options);
}

absl::Status CgroupGroup::AddCgroupNoCpuset(absl::string_view name, CallOptions options) {
  v1::CgroupSpec spec;
  spec.set_name(std::string(name));
  return Add(spec, options);
}

absl::Status CgroupGroup::Add(const v1::CgroupSpec& spec, CallOptions options) {
  RETURN_IF_ERROR(manager_.Create(spec, CgroupLifetime::kLease, options).status());
  // Making one again is no second cgroup.
  if (std::find(names_.begin(), names_.end(), spec.name()) == names_.end()) names_.push_back(spec.name());
  return absl::OkStatus();
}

}  // namespace muster
