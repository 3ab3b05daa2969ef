// Whose the cgroups are that clients have made.
#ifndef MUSTER_DAEMON_LEASE_CGROUP_OWNERS_H_
#define MUSTER_DAEMON_LEASE_CGROUP_OWNERS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"

namespace muster {

// One lease's call for a cgroup.
struct CgroupClaim {
  // Relative to the workload root.
  std::string name;
  std::string lease_id;
  // It outlives its leases.
  bool keep = false;
};

// A cgroup belongs to every lease that claimed it and goes after the last of them, unless one asked to keep it or
// something below it stays. Book-keeping only: the caller makes and removes. Thread-safe.
class CgroupOwners {
 public:
  explicit CgroupOwners(int64_t max_cgroups) : max_cgroups_(max_cgroups) {}

  // Before it is made. RESOURCE_EXHAUSTED: max_cgroups; FAILED_PRECONDITION: it is being removed.
  absl::Status Claim(const CgroupClaim& claim);
  // One of the two follows every Claim. It could not be made: takes the claim back.
  void Unclaim(const CgroupClaim& claim);
  // It has been made. False: the lease has ended, or it was removed, since the Claim; if nobody else holds it,
  // BeginRemoveUnclaimed names it.
  [[nodiscard]] bool Settle(const CgroupClaim& claim);

  // Before `name` is removed with all below; whoever gets OK calls EndRemove. No lease: an operator removes it.
  // NOT_FOUND: nobody has claimed it, or it is being removed; PERMISSION_DENIED: it, or one below it, is not this
  // lease's.
  absl::Status BeginRemove(absl::string_view name, const std::optional<std::string>& lease_id);
  // It and all below it are gone, or not. Returns whose they were; those that were still being made stay claimed.
  std::vector<CgroupClaim> EndRemove(absl::string_view name, bool removed);

  // OK when no end of a lease takes `name` away: neither it nor one above it goes with its leases.
  // FAILED_PRECONDITION names the one that does.
  absl::Status CheckOutlivesLeases(absl::string_view name);

  void EndLease(absl::string_view lease_id);
  // Names that nobody claims any more, leaves first, each as after BeginRemove.
  std::vector<std::string> BeginRemoveUnclaimed();

 private:
  struct Entry {
    std::multiset<std::string> leases;
    int keeps = 0;
    bool going = false;
    // Some Settle has been called.
    bool made = false;
    // Some Settle has been called while it was going: made before the removal or after it.
    bool made_while_going = false;

    bool stays() const { return !leases.empty() || keeps > 0; }
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  // Those at and below `name`.
  std::vector<Entries::iterator> Tree(absl::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int64_t max_cgroups_;
  Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_LEASE_CGROUP_OWNERS_H_
