#include "daemon/lease/cgroup_owners.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error_detail.h"

namespace muster {
namespace {

bool IsAtOrBelow(absl::string_view name, absl::string_view top) {
  return name == top || absl::StartsWith(name, absl::StrCat(top, "/"));
}

}  // namespace

std::vector<CgroupOwners::Entries::iterator> CgroupOwners::Tree(absl::string_view name) {
  std::vector<Entries::iterator> tree;
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (IsAtOrBelow(it->first, name)) tree.push_back(it);
  }
  return tree;
}

absl::Status CgroupOwners::Claim(const CgroupClaim& claim) {
  MutexLock lock(&mutex_);
  for (const auto& [name, entry] : entries_) {
    if (!entry.going || !IsAtOrBelow(claim.name, name)) continue;
    return PreconditionError({"CGROUP_STATE", name}, absl::StrCat("cgroup ", name, " is being removed; try again"));
  }
  auto it = entries_.find(claim.name);
  if (it == entries_.end()) {
    if (static_cast<int64_t>(entries_.size()) >= max_cgroups_) {
      return LimitError("max_cgroups", max_cgroups_, absl::StrCat("no room for another cgroup, ", claim.name));
    }
    it = entries_.emplace(claim.name, Entry()).first;
  }
  it->second.leases.insert(claim.lease_id);
  it->second.keeps += claim.keep ? 1 : 0;
  return absl::OkStatus();
}

void CgroupOwners::Unclaim(const CgroupClaim& claim) {
  MutexLock lock(&mutex_);
  const auto it = entries_.find(claim.name);
  if (it == entries_.end()) return;
  Entry& entry = it->second;
  const auto lease = entry.leases.find(claim.lease_id);
  if (lease != entry.leases.end()) entry.leases.erase(lease);
  entry.keeps -= claim.keep ? 1 : 0;
  // One that another claim has made waits for BeginRemoveUnclaimed.
  if (!entry.stays() && !entry.going && !entry.made) entries_.erase(it);
}

bool CgroupOwners::Settle(const CgroupClaim& claim) {
  MutexLock lock(&mutex_);
  // Also when it was removed and is made again: what is there must be known, or nobody could remove it.
  Entry& entry = entries_[claim.name];
  entry.made = true;
  entry.made_while_going = entry.going;
  return entry.leases.count(claim.lease_id) > 0 || (claim.keep && entry.keeps > 0);
}

absl::Status CgroupOwners::BeginRemove(absl::string_view name, const std::optional<std::string>& lease_id) {
  MutexLock lock(&mutex_);
  const auto tree = Tree(name);
  const bool going = std::any_of(tree.begin(), tree.end(), [](const auto& it) { return it->second.going; });
  if (tree.empty() || going) return absl::NotFoundError(absl::StrCat("no cgroup ", name, " was made by a client"));
  for (const auto& it : tree) {
    // One that was kept and has outlived its leases is anybody's.
    const std::multiset<std::string>& leases = it->second.leases;
    if (!lease_id.has_value() || leases.empty() || leases.count(*lease_id) > 0) continue;
    return absl::PermissionDeniedError(
        absl::StrCat("cgroup ", it->first, " does not belong to lease ", *lease_id, "; an operator may remove it"));
  }
  for (const auto& it : tree) it->second.going = true;
  return absl::OkStatus();
}

std::vector<CgroupClaim> CgroupOwners::EndRemove(absl::string_view name, bool removed) {
  std::vector<CgroupClaim> claims;
  MutexLock lock(&mutex_);
  for (const auto& it : Tree(name)) {
    it->second.going = false;
    const bool was_made = it->second.made && !std::exchange(it->second.made_while_going, false);
    if (!removed || !was_made) continue;
    const std::set<std::string> leases(it->second.leases.begin(), it->second.leases.end());
    for (const std::string& lease : leases) claims.push_back({it->first, lease, it->second.keeps > 0});
    entries_.erase(it);
  }
  return claims;
}

absl::Status CgroupOwners::CheckOutlivesLeases(absl::string_view name) {
  MutexLock lock(&mutex_);
  for (const auto& [owned, entry] : entries_) {
    if (!IsAtOrBelow(name, owned)) continue;
    const auto tree = Tree(owned);
    if (std::any_of(tree.begin(), tree.end(), [](const auto& it) { return it->second.keeps > 0; })) continue;
    return PreconditionError(
        {"CGROUP_STATE", owned},
        absl::StrCat("cgroup ", owned,
                     " goes with the lease that made it, and a detached pool is to "
                     "outlive that; make the cgroup with keep, or in the pool's own spec.cgroups"));
  }
  return absl::OkStatus();
}

void CgroupOwners::EndLease(absl::string_view lease_id) {
  MutexLock lock(&mutex_);
  for (auto& [name, entry] : entries_) entry.leases.erase(std::string(lease_id));
}

std::vector<std::string> CgroupOwners::BeginRemoveUnclaimed() {
  MutexLock lock(&mutex_);
  std::vector<std::string> names;
  // Names below another sort after it, so from the back leaves come first.
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
    const auto tree = Tree(it->first);
    const bool stays = std::any_of(tree.begin(), tree.end(), [&](const auto& below) {
      const bool listed = std::find(names.begin(), names.end(), below->first) != names.end();
      return below->second.stays() || (below->second.going && !listed);
    });
    if (stays) continue;
    it->second.going = true;
    names.push_back(it->first);
  }
  return names;
}

}  // namespace muster
