#include "daemon/service/cgroup_handlers.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/service/authority.h"

namespace muster {
namespace {

bool HasCpuset(const CgroupManager& cgroups) {
  const auto& controllers = cgroups.controllers();
  return std::any_of(controllers.begin(), controllers.end(),
                     [](const ControllerStatus& status) { return status.name == "cpuset" && status.available; });
}

}  // namespace

absl::Status CgroupHandlers::CreateCgroup(const v1::CreateCgroupRequest& request, const CallContext& context,
                                          v1::CreateCgroupResponse* response) const {
  return parts_.requests->Run({"CreateCgroup", CacheScope(request.authority()), request.request_id(), &request},
                              context, response, [&] { return CreateOnce(request, context, response); });
}

absl::Status CgroupHandlers::CreateOnce(const v1::CreateCgroupRequest& request, const CallContext& context,
                                        v1::CreateCgroupResponse* response) const {
  if (request.authority().as_operator()) {
    return FieldError("authority.as_operator",
                      "a cgroup needs a lease to belong to, also one to keep; give lease_id and lease_secret");
  }
  ASSIGN_OR_RETURN(const LeaseUse use, parts_.leases->Use(request.authority().lease_id(),
                                                          request.authority().lease_secret(), "authority.lease_id"));
  RETURN_IF_ERROR(parts_.cgroups->Validate(request.spec(), "spec"));
  ASSIGN_OR_RETURN(const CgroupPath path, CgroupPath::Parse(request.spec().name(), "spec.name"));
  const CgroupClaim claim = {path.text(), use.lease_id(), request.keep()};
  RETURN_IF_ERROR(parts_.cgroup_owners->Claim(claim));
  const absl::StatusOr<CgroupInfo> made = parts_.cgroups->Create(request.spec(), "spec", context.deadline);
  if (!made.ok()) {
    parts_.cgroup_owners->Unclaim(claim);
    parts_.property->RemoveUnclaimed(context.deadline);
    return made.status();
  }
  if (!parts_.cgroup_owners->Settle(claim)) {
    parts_.property->RemoveUnclaimed(context.deadline);
    return absl::AbortedError(
        absl::StrCat("cgroup ", claim.name, ": while it was being made its lease ended, or it was removed"));
  }
  response->set_name(made->name);
  response->set_path(made->path);
  // The cgroup is made: failing here would not undo it.
  const absl::StatusOr<CpuSet> cpus = parts_.cgroups->EffectiveCpus(path);
  if (cpus.ok() && HasCpuset(*parts_.cgroups)) response->set_effective_cpus(cpus->ToString());
  return absl::OkStatus();
}

absl::Status CgroupHandlers::RemoveCgroup(const v1::RemoveCgroupRequest& request, const CallContext& context,
                                          v1::RemoveCgroupResponse* response) const {
  return parts_.requests->Run({"RemoveCgroup", CacheScope(request.authority()), request.request_id(), &request},
                              context, response, [&] { return RemoveOnce(request, context, response); });
}

absl::Status CgroupHandlers::RemoveOnce(const v1::RemoveCgroupRequest& request, const CallContext& context,
                                        v1::RemoveCgroupResponse* response) const {
  ASSIGN_OR_RETURN(const CgroupPath path, CgroupPath::Parse(request.name(), "name"));
  std::optional<std::string> lease;
  if (!request.authority().as_operator()) {
    RETURN_IF_ERROR(
        parts_.leases->Check(request.authority().lease_id(), request.authority().lease_secret(), "authority.lease_id"));
    lease = request.authority().lease_id();
  }
  RETURN_IF_ERROR(parts_.cgroup_owners->BeginRemove(path.text(), lease));
  const auto pools = lease.has_value() ? LeaseProperty::PoolCgroups::kSpare : LeaseProperty::PoolCgroups::kRemove;
  ASSIGN_OR_RETURN(const int killed, parts_.property->RemoveCgroup(path, pools, context.deadline));
  response->set_processes_killed(static_cast<uint32_t>(killed));
  return absl::OkStatus();
}

}  // namespace muster
