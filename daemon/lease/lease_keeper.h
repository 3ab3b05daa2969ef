// Ends leases: when their client asks, when their grace is over, and when the daemon stops.
#ifndef MUSTER_DAEMON_LEASE_LEASE_KEEPER_H_
#define MUSTER_DAEMON_LEASE_LEASE_KEEPER_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/timer_queue.h"
#include "daemon/lease/lease_table.h"

namespace muster {

// What went with a lease.
struct LeaseRemains {
  int pools = 0;
  int cgroups = 0;
};

// The destructor ends no lease; it waits for those that are being ended. Thread-safe.
class LeaseKeeper {
 public:
  // Drops and removes all that a lease owns, within a bound of its own. Called twice for a lease in whose name
  // something was still being made. May block; called with no lock held, for several leases at a time.
  using Teardown = std::function<LeaseRemains(const std::string& lease_id)>;

  // The pointers outlive this object. `max_uses_wait` bounds the wait for calls that still make something.
  LeaseKeeper(LeaseTable* table, TimerQueue* timers, Teardown teardown, absl::Duration max_uses_wait);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  // The stream of this hold is over: unless another has taken over, the lease ends when its grace is over.
  void Release(const LeaseHold& hold);

  // Ends a lease and returns when all is gone. NOT_FOUND: no such lease, or it is being ended; PERMISSION_DENIED.
  absl::StatusOr<LeaseRemains> End(absl::string_view lease_id, std::optional<absl::string_view> secret);

 private:
  void Rearm() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnTimer();
  LeaseRemains Finish(const std::string& lease_id);

  LeaseTable* const table_;
  TimerQueue* const timers_;
  const Teardown teardown_;
  const absl::Duration max_uses_wait_;
  Executor executor_;
  Mutex mutex_;
  TimerQueue::Timer timer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_LEASE_LEASE_KEEPER_H_
