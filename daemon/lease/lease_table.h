// Leases: who they belong to, whether their client is there, and what it has not been told yet.
#ifndef MUSTER_DAEMON_LEASE_LEASE_TABLE_H_
#define MUSTER_DAEMON_LEASE_LEASE_TABLE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/mutex.h"
#include "muster/v1/muster.pb.h"

namespace muster {

struct LeaseLimits {
  // How long a lease waits for its client after a break, when the client does not say; and the longest that it may say.
  absl::Duration grace = absl::Seconds(10);
  absl::Duration max_grace = absl::Hours(1);
  int64_t max_leases = 256;
  // Events that wait for a slow reader; older ones are dropped and counted.
  int64_t max_lease_events = 1024;
};

// Names one stream's hold of a lease: a later one takes the lease over.
struct LeaseHold {
  std::string lease_id;
  uint64_t number = 0;
};

struct OpenedLease {
  LeaseHold hold;
  std::string secret;
  absl::Duration grace;
  bool reattached = false;
};

class LeaseTable;

// Keeps a lease from being forgotten while something is made in its name. Move-only; a moved-from object keeps nothing.
class LeaseUse {
 public:
  LeaseUse(LeaseUse&& other) noexcept;
  LeaseUse& operator=(LeaseUse&&) = delete;
  ~LeaseUse();

  const std::string& lease_id() const { return lease_id_; }
  const std::string& owner() const { return owner_; }

 private:
  friend class LeaseTable;
  LeaseUse(LeaseTable* table, std::string lease_id, std::string owner)
      : table_(table), lease_id_(std::move(lease_id)), owner_(std::move(owner)) {}

  LeaseTable* table_;
  std::string lease_id_;
  std::string owner_;
};

// The book-keeping only; LeaseKeeper acts on it. A lease is attached (a stream holds it), in its grace, or ending.
// Thread-safe. Wakers are called with no lock held and must not block.
class LeaseTable {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Clock = std::function<TimePoint()>;
  using Waker = std::function<void()>;

  LeaseTable(LeaseLimits options, Clock clock) : options_(options), clock_(std::move(clock)) {}

  // `waker` is called whenever Take has something new to say to this hold. INVALID_ARGUMENT: grace or owner is out of
  // range; RESOURCE_EXHAUSTED: max_leases.
  absl::StatusOr<OpenedLease> Open(const v1::OpenLeaseRequest& request, Waker waker);
  // Takes over from the stream that held it. NOT_FOUND: no such lease, or it is ending; PERMISSION_DENIED: wrong
  // secret.
  absl::StatusOr<OpenedLease> Reattach(const v1::OpenLeaseRequest& request, Waker waker);

  // The next event for this hold; none: nothing now. OUT_OF_RANGE: the lease has ended; FAILED_PRECONDITION: another
  // stream has taken it over.
  absl::StatusOr<std::optional<v1::LeaseEvent>> Take(const LeaseHold& hold);
  // The stream is over: the grace begins, unless another has taken over.
  void Release(const LeaseHold& hold);

  // Queues an event; without effect when there is no such lease.
  void Post(absl::string_view lease_id, v1::LeaseEvent event);

  // NOT_FOUND and PERMISSION_DENIED as of Reattach; INVALID_ARGUMENT: no id given. `field` is the request's field that
  // holds the id, for the error.
  absl::Status Check(absl::string_view lease_id, absl::string_view secret, absl::string_view field) const;
  absl::StatusOr<LeaseUse> Use(absl::string_view lease_id, absl::string_view secret, absl::string_view field);

  // Marks a lease as ending: from now on nothing is made in its name. Whoever gets OK must call Forget. Without a
  // secret: for the daemon itself.
  absl::Status BeginEnd(absl::string_view lease_id, std::optional<absl::string_view> secret);
  // Marks the leases whose grace is over as ending, and names them.
  std::vector<std::string> BeginOverdue();
  // Waits until the last LeaseUse is gone; false: not by the deadline.
  bool AwaitUnused(absl::string_view lease_id, Deadline deadline) const;
  // The end of an ending: its stream is told.
  void Forget(absl::string_view lease_id);

  // When the next grace is over; none: no lease waits.
  std::optional<TimePoint> NextOverdue() const;
  std::vector<std::string> Ids() const;

 private:
  friend class LeaseUse;
  struct Lease {
    std::string secret;
    std::string owner;
    absl::Duration grace;
    // Of the stream that holds it, or the last one that did.
    uint64_t hold = 0;
    Waker waker;  // empty: nobody holds it
    TimePoint overdue_at;
    bool ending = false;
    int uses = 0;
    std::deque<v1::LeaseEvent> events;
    // Events lost before the first of `events`.
    uint64_t dropped = 0;
  };

  absl::StatusOr<absl::Duration> GraceOf(const v1::OpenLeaseRequest& request) const;
  absl::Status CheckLocked(absl::string_view lease_id, absl::string_view secret, absl::string_view field) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static OpenedLease Describe(const std::string& id, const Lease& lease, bool reattached);
  bool IsOverdue(const Lease& lease, TimePoint now) const {
    return !lease.waker && !lease.ending && lease.overdue_at <= now;
  }

  const LeaseLimits options_;
  const Clock clock_;
  mutable Mutex mutex_;
  mutable CondVar unused_;
  std::map<std::string, Lease, std::less<>> leases_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_LEASE_LEASE_TABLE_H_
