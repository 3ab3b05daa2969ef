#include "daemon/lease/lease_keeper.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Leases that end at the same time, of clients that broke together.
constexpr size_t kThreads = 4;

}  // namespace

LeaseKeeper::LeaseKeeper(LeaseTable* table, TimerQueue* timers, Teardown teardown, absl::Duration max_uses_wait)
    : table_(table),
      timers_(timers),
      teardown_(std::move(teardown)),
      max_uses_wait_(max_uses_wait),
      executor_({.name = "leases", .max_threads = kThreads, .max_queued = std::numeric_limits<int>::max()}) {}

LeaseKeeper::~LeaseKeeper() {
  TimerQueue::Timer last;
  MutexLock lock(&mutex_);
  last = std::move(timer_);
}

void LeaseKeeper::Release(const LeaseHold& hold) {
  table_->Release(hold);
  Rearm();
}

void LeaseKeeper::Rearm() {
  // Destroyed after the lock is let go: that waits for a callback under way, which may be waiting for the lock.
  TimerQueue::Timer former;
  MutexLock lock(&mutex_);
  former = std::move(timer_);
  const std::optional<LeaseTable::TimePoint> next = table_->NextOverdue();
  if (next.has_value()) timer_ = timers_->At(*next, [this] { OnTimer(); });
}

void LeaseKeeper::OnTimer() {
  for (const std::string& lease_id : table_->BeginOverdue()) {
    LogWarning(absl::StrCat("lease ", lease_id, ": its client has not come back within the grace time; ending it"));
    // Here only when no thread at all can be made: late, but done.
    if (!executor_.Submit([this, lease_id] { Finish(lease_id); })) Finish(lease_id);
  }
  Rearm();
}

absl::StatusOr<LeaseRemains> LeaseKeeper::End(absl::string_view lease_id, std::optional<absl::string_view> secret) {
  RETURN_IF_ERROR(table_->BeginEnd(lease_id, secret));
  return Finish(std::string(lease_id));
}

LeaseRemains LeaseKeeper::Finish(const std::string& lease_id) {
  // Asked before: what a call makes while the first teardown runs needs a second one, even if the call ends meanwhile.
  const bool unused = table_->AwaitUnused(lease_id, Deadline::After(absl::ZeroDuration()));
  LeaseRemains remains = teardown_(lease_id);
  if (!unused) {
    if (!table_->AwaitUnused(lease_id, Deadline::After(max_uses_wait_))) {
      LogWarning(absl::StrCat("lease ", lease_id, ": a call in its name has not ended within ",
                              absl::FormatDuration(max_uses_wait_)));
    }
    const LeaseRemains late = teardown_(lease_id);
    remains.pools += late.pools;
    remains.cgroups += late.cgroups;
  }
  table_->Forget(lease_id);
  return remains;
}

}  // namespace muster
