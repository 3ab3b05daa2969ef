#include "daemon/service/lease_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "daemon/spec/duration.h"

namespace muster {
namespace {

void Describe(const OpenedLease& opened, absl::Duration ttl, v1::LeaseEvent::Opened* proto) {
  proto->set_lease_id(opened.hold.lease_id);
  proto->set_lease_secret(opened.secret);
  *proto->mutable_ttl() = DurationOfNs(absl::ToInt64Nanoseconds(ttl));
  *proto->mutable_grace() = DurationOfNs(absl::ToInt64Nanoseconds(opened.grace));
  proto->set_reattached(opened.reattached);
}

}  // namespace

LeaseSource::~LeaseSource() {
  if (opened_.has_value()) parts_.keeper->Release(opened_->hold);
}

absl::Status LeaseSource::Begin(const CallContext& context, Waker wake) {
  const bool is_new = request_->lease_id().empty();
  ASSIGN_OR_RETURN(opened_, is_new ? parts_.leases->Open(*request_, std::move(wake))
                                   : parts_.leases->Reattach(*request_, std::move(wake)));
  LogInfo(absl::StrCat("lease ", opened_->hold.lease_id, is_new ? " opened by " : " taken up again by ", context.peer));
  return absl::OkStatus();
}

absl::StatusOr<StreamStep> LeaseSource::Next(v1::LeaseEvent* event) {
  if (!std::exchange(told_, true)) {
    Describe(*opened_, parts_.ttl, event->mutable_opened());
    return StreamStep::kMessage;
  }
  absl::StatusOr<std::optional<v1::LeaseEvent>> next = parts_.leases->Take(opened_->hold);
  if (absl::IsOutOfRange(next.status())) return StreamStep::kEnd;
  if (!next.ok()) return next.status();
  if (!next->has_value()) return StreamStep::kWait;
  *event = **std::move(next);
  return StreamStep::kMessage;
}

}  // namespace muster
