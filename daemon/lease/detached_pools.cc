#include "daemon/lease/detached_pools.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace muster {

void DetachedPools::Add(const std::string& pool_id, Owner owner, absl::FunctionRef<bool(const std::string&)> is_gone) {
  std::vector<std::string> known;
  {
    MutexLock lock(&mutex_);
    for (const auto& [id, unused] : owners_) known.push_back(id);
  }
  // Asked with no lock held. Ids are never given out twice, so what is gone stays gone.
  std::erase_if(known, [&](const std::string& id) { return !is_gone(id); });
  MutexLock lock(&mutex_);
  for (const std::string& id : known) owners_.erase(id);
  owners_[pool_id] = std::move(owner);
}

absl::Status DetachedPools::Check(const std::string& pool_id, const Owner& claimed) const {
  MutexLock lock(&mutex_);
  const auto it = owners_.find(pool_id);
  if (it == owners_.end()) return absl::NotFoundError(absl::StrCat("no detached pool ", pool_id));
  if (it->second.lease_id != claimed.lease_id || it->second.lease_secret != claimed.lease_secret) {
    return absl::PermissionDeniedError(absl::StrCat("pool ", pool_id,
                                                    " was made in the name of another lease; give its id "
                                                    "and secret, or act as operator"));
  }
  return absl::OkStatus();
}

}  // namespace muster
