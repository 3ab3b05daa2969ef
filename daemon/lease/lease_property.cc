#include "daemon/lease/lease_property.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr absl::Duration kTearDownBudget = absl::Seconds(15);

}  // namespace

LeaseRemains LeaseProperty::TearDown(const std::string& lease_id) const {
  const Deadline deadline = Deadline::After(kTearDownBudget);
  LeaseRemains remains;
  remains.pools = parts_.pools->DropLease(lease_id, deadline);
  parts_.owners->EndLease(lease_id);
  remains.cgroups = RemoveUnclaimed(deadline);
  return remains;
}

absl::StatusOr<int> LeaseProperty::RemoveCgroup(const CgroupPath& path, PoolCgroups pools, Deadline deadline) const {
  ASSIGN_OR_RETURN(const int killed, RemoveAndTell(path, pools, deadline));
  // What stood above it may have waited for it.
  RemoveUnclaimed(deadline);
  return killed;
}

int LeaseProperty::RemoveUnclaimed(Deadline deadline) const {
  int removed = 0;
  for (const std::string& name : parts_.owners->BeginRemoveUnclaimed()) {
    absl::StatusOr<CgroupPath> path = CgroupPath::Parse(name, "name");
    absl::Status status = path.status();
    if (status.ok()) status = RemoveAndTell(*path, PoolCgroups::kSpare, deadline).status();
    removed += status.ok() ? 1 : 0;
    if (!status.ok() && !absl::IsNotFound(status)) {
      LogWarning(absl::StrCat("cgroup ", name, " of a lease that has ended is still there: ", status.message()));
    }
  }
  return removed;
}

absl::StatusOr<int> LeaseProperty::RemoveAndTell(const CgroupPath& path, PoolCgroups pools, Deadline deadline) const {
  absl::StatusOr<int> killed = pools == PoolCgroups::kRemove ? parts_.cgroups->Remove(path, deadline)
                                                             : parts_.cgroups->RemoveBesidePools(path, deadline);
  const bool is_gone = killed.ok() || absl::IsNotFound(killed.status());
  for (const CgroupClaim& claim : parts_.owners->EndRemove(path.text(), is_gone)) {
    v1::LeaseEvent event;
    event.mutable_cgroup_removed()->set_name(claim.name);
    parts_.leases->Post(claim.lease_id, std::move(event));
  }
  return killed;
}

}  // namespace muster
