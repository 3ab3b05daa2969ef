#include "daemon/lease/lease_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/later.h"
#include "base/random_token.h"
#include "base/status_macros.h"
#include "daemon/spec/duration.h"

namespace muster {
namespace {

constexpr size_t kIdBytes = 8;
constexpr size_t kSecretBytes = 16;
constexpr size_t kMaxOwnerBytes = 256;

absl::Status NoSuchLease(absl::string_view lease_id) {
  return absl::NotFoundError(
      absl::StrCat("no lease ", lease_id, ": it never was, was ended, or its grace time is over"));
}

}  // namespace

LeaseUse::LeaseUse(LeaseUse&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)),
      lease_id_(std::move(other.lease_id_)),
      owner_(std::move(other.owner_)) {}

LeaseUse::~LeaseUse() {
  if (table_ == nullptr) return;
  MutexLock lock(&table_->mutex_);
  const auto it = table_->leases_.find(lease_id_);
  if (it != table_->leases_.end() && --it->second.uses == 0) table_->unused_.NotifyAll();
}

absl::StatusOr<absl::Duration> LeaseTable::GraceOf(const v1::OpenLeaseRequest& request) const {
  if (!request.has_grace()) return options_.grace;
  ASSIGN_OR_RETURN(const int64_t grace_ns, DurationNs(request.grace(), "grace"));
  const absl::Duration grace = absl::Nanoseconds(grace_ns);
  if (grace < absl::ZeroDuration() || grace > options_.max_grace) {
    return FieldError("grace",
                      absl::StrCat("must be 0 to ", absl::FormatDuration(options_.max_grace),
                                   " (limit max_lease_grace); absent, it is ", absl::FormatDuration(options_.grace)));
  }
  return grace;
}

absl::StatusOr<OpenedLease> LeaseTable::Open(const v1::OpenLeaseRequest& request, Waker waker) {
  if (request.owner().size() > kMaxOwnerBytes) {
    return FieldError("owner", absl::StrCat("has ", request.owner().size(), " bytes; at most ", kMaxOwnerBytes));
  }
  ASSIGN_OR_RETURN(const absl::Duration grace, GraceOf(request));
  ASSIGN_OR_RETURN(const std::string id, RandomToken(kIdBytes));
  Lease lease;
  ASSIGN_OR_RETURN(lease.secret, RandomToken(kSecretBytes));
  lease.owner = request.owner();
  lease.grace = grace;
  lease.waker = std::move(waker);
  MutexLock lock(&mutex_);
  if (static_cast<int64_t>(leases_.size()) >= options_.max_leases) {
    return LimitError("max_leases", options_.max_leases, "no room for another lease; end one that is not needed");
  }
  const auto it = leases_.emplace(id, std::move(lease)).first;
  return Describe(id, it->second, /*reattached=*/false);
}

absl::StatusOr<OpenedLease> LeaseTable::Reattach(const v1::OpenLeaseRequest& request, Waker waker) {
  Waker former;
  absl::StatusOr<OpenedLease> opened = [&]() -> absl::StatusOr<OpenedLease> {
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(CheckLocked(request.lease_id(), request.lease_secret(), "lease_id"));
    Lease& lease = leases_.find(request.lease_id())->second;
    // The timer may not have got round to it yet.
    if (IsOverdue(lease, clock_())) return NoSuchLease(request.lease_id());
    if (request.has_grace()) {
      ASSIGN_OR_RETURN(lease.grace, GraceOf(request));
    }
    former = std::exchange(lease.waker, std::move(waker));
    ++lease.hold;
    return Describe(request.lease_id(), lease, /*reattached=*/true);
  }();
  if (former) former();
  return opened;
}

OpenedLease LeaseTable::Describe(const std::string& id, const Lease& lease, bool reattached) {
  return {{id, lease.hold}, lease.secret, lease.grace, reattached};
}

absl::StatusOr<std::optional<v1::LeaseEvent>> LeaseTable::Take(const LeaseHold& hold) {
  MutexLock lock(&mutex_);
  const auto it = leases_.find(hold.lease_id);
  if (it == leases_.end()) return absl::OutOfRangeError(absl::StrCat("lease ", hold.lease_id, " has ended"));
  Lease& lease = it->second;
  if (lease.hold != hold.number) {
    return PreconditionError({"LEASE_ATTACHMENT", hold.lease_id},
                             absl::StrCat("lease ", hold.lease_id, " was taken over by another OpenLease stream"));
  }
  if (lease.events.empty()) return std::nullopt;
  v1::LeaseEvent event = std::move(lease.events.front());
  lease.events.pop_front();
  event.set_dropped(std::exchange(lease.dropped, 0));
  return event;
}

void LeaseTable::Release(const LeaseHold& hold) {
  MutexLock lock(&mutex_);
  const auto it = leases_.find(hold.lease_id);
  if (it == leases_.end() || it->second.hold != hold.number) return;
  it->second.waker = nullptr;
  it->second.overdue_at = Later(clock_(), it->second.grace);
}

void LeaseTable::Post(absl::string_view lease_id, v1::LeaseEvent event) {
  Waker waker;
  {
    MutexLock lock(&mutex_);
    const auto it = leases_.find(lease_id);
    if (it == leases_.end()) return;
    Lease& lease = it->second;
    lease.events.push_back(std::move(event));
    if (static_cast<int64_t>(lease.events.size()) > options_.max_lease_events) {
      lease.events.pop_front();
      ++lease.dropped;
    }
    waker = lease.waker;
  }
  if (waker) waker();
}

absl::Status LeaseTable::CheckLocked(absl::string_view lease_id, absl::string_view secret,
                                     absl::string_view field) const {
  if (lease_id.empty()) return FieldError(field, "is empty; give the id of a lease from OpenLease");
  const auto it = leases_.find(lease_id);
  if (it == leases_.end() || it->second.ending) return NoSuchLease(lease_id);
  if (it->second.secret != secret) {
    return absl::PermissionDeniedError(absl::StrCat("the secret given is not that of lease ", lease_id));
  }
  return absl::OkStatus();
}

absl::Status LeaseTable::Check(absl::string_view lease_id, absl::string_view secret, absl::string_view field) const {
  MutexLock lock(&mutex_);
  return CheckLocked(lease_id, secret, field);
}

absl::StatusOr<LeaseUse> LeaseTable::Use(absl::string_view lease_id, absl::string_view secret,
                                         absl::string_view field) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(CheckLocked(lease_id, secret, field));
  const auto it = leases_.find(lease_id);
  ++it->second.uses;
  return LeaseUse(this, it->first, it->second.owner);
}

absl::Status LeaseTable::BeginEnd(absl::string_view lease_id, std::optional<absl::string_view> secret) {
  MutexLock lock(&mutex_);
  const auto it = leases_.find(lease_id);
  if (secret.has_value() || it == leases_.end()) {
    RETURN_IF_ERROR(CheckLocked(lease_id, secret.value_or(""), "lease_id"));
  }
  if (it->second.ending) return NoSuchLease(lease_id);
  it->second.ending = true;
  return absl::OkStatus();
}

std::vector<std::string> LeaseTable::BeginOverdue() {
  MutexLock lock(&mutex_);
  const TimePoint now = clock_();
  std::vector<std::string> ids;
  for (auto& [id, lease] : leases_) {
    if (!IsOverdue(lease, now)) continue;
    lease.ending = true;
    ids.push_back(id);
  }
  return ids;
}

bool LeaseTable::AwaitUnused(absl::string_view lease_id, Deadline deadline) const {
  MutexLock lock(&mutex_);
  while (true) {
    const auto it = leases_.find(lease_id);
    if (it == leases_.end() || it->second.uses == 0) return true;
    if (deadline.Expired()) return false;
    unused_.WaitUntil(&mutex_, deadline.when());
  }
}

void LeaseTable::Forget(absl::string_view lease_id) {
  Waker waker;
  {
    MutexLock lock(&mutex_);
    const auto it = leases_.find(lease_id);
    if (it == leases_.end()) return;
    waker = std::move(it->second.waker);
    leases_.erase(it);
  }
  if (waker) waker();
}

std::optional<LeaseTable::TimePoint> LeaseTable::NextOverdue() const {
  MutexLock lock(&mutex_);
  std::optional<TimePoint> next;
  for (const auto& [id, lease] : leases_) {
    if (lease.waker || lease.ending) continue;
    if (!next.has_value() || lease.overdue_at < *next) next = lease.overdue_at;
  }
  return next;
}

std::vector<std::string> LeaseTable::Ids() const {
  MutexLock lock(&mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, lease] : leases_) ids.push_back(id);
  return ids;
}

}  // namespace muster
