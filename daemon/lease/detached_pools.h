// Who may speak for a pool that outlives its lease.
#ifndef MUSTER_DAEMON_LEASE_DETACHED_POOLS_H_
#define MUSTER_DAEMON_LEASE_DETACHED_POOLS_H_

#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"

namespace muster {

// Keeps id and secret of the lease in whose name each detached pool was made. Thread-safe.
class DetachedPools {
 public:
  struct Owner {
    std::string lease_id;
    std::string lease_secret;
  };

  // Also forgets pools that `is_gone`, so that the book does not outgrow the pool table.
  void Add(const std::string& pool_id, Owner owner, absl::FunctionRef<bool(const std::string&)> is_gone)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // NOT_FOUND: no detached pool; PERMISSION_DENIED: another lease's, or a wrong secret.
  absl::Status Check(const std::string& pool_id, const Owner& claimed) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  std::map<std::string, Owner> owners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_LEASE_DETACHED_POOLS_H_
