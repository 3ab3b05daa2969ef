// What leases own besides themselves: pools and cgroups.
#ifndef MUSTER_DAEMON_LEASE_LEASE_PROPERTY_H_
#define MUSTER_DAEMON_LEASE_LEASE_PROPERTY_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "daemon/cgroup/cgroup_manager.h"
#include "daemon/lease/cgroup_owners.h"
#include "daemon/lease/lease_keeper.h"
#include "daemon/lease/lease_table.h"
#include "daemon/pool/pool_table.h"

namespace muster {

// Owns nothing; the pointers outlive it. Thread-safe.
class LeaseProperty {
 public:
  struct Parts {
    PoolTable* pools = nullptr;
    CgroupManager* cgroups = nullptr;
    CgroupOwners* owners = nullptr;
    LeaseTable* leases = nullptr;
  };

  explicit LeaseProperty(Parts parts) : parts_(parts) {}

  // Drops the lease's pools, the detached ones excepted, then removes its cgroups, the kept ones excepted. Bounded in
  // time; logs what it could not do.
  LeaseRemains TearDown(const std::string& lease_id) const;

  // What an operator may remove, and a lease may not.
  enum class PoolCgroups { kSpare, kRemove };

  // Removes a cgroup for which CgroupOwners::BeginRemove said OK, and tells the leases that had it. Returns the number
  // of processes killed; errors as of CgroupManager::Remove, or RemoveBesidePools.
  absl::StatusOr<int> RemoveCgroup(const CgroupPath& path, PoolCgroups pools, Deadline deadline) const;

  // Removes the cgroups that nobody claims any more; returns how many. Logs what it could not do.
  int RemoveUnclaimed(Deadline deadline) const;

 private:
  absl::StatusOr<int> RemoveAndTell(const CgroupPath& path, PoolCgroups pools, Deadline deadline) const;

  const Parts parts_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_LEASE_LEASE_PROPERTY_H_
