#include "daemon/service/collect_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/service/authority.h"

namespace muster {

absl::Status CollectSource::Begin(const CallContext& context, Waker) {
  ASSIGN_OR_RETURN(pool_, FindPoolFor(request_.authority(), request_.pool_id(), parts_));
  if (request_.from_worker() > pool_->num_workers()) {
    return FieldError("from_worker",
                      absl::StrCat("is ", request_.from_worker(), ", the pool has ", pool_->num_workers(), " workers"));
  }
  RETURN_IF_ERROR(pool_->Stop(context.deadline));
  // Before the first report goes out: once the client has them all it may confirm, and then the last reading is gone.
  parts_.watches->End(pool_->id());
  return absl::OkStatus();
}

absl::StatusOr<StreamStep> CollectSource::Next(v1::StopAndCollectResponse* message) {
  if (next_worker_ < pool_->num_workers()) {
    RETURN_IF_ERROR(pool_->FillReport(next_worker_, request_.without_samples(), message->mutable_report()));
    ++next_worker_;
    return StreamStep::kMessage;
  }
  if (std::exchange(summary_sent_, true)) return StreamStep::kEnd;
  ASSIGN_OR_RETURN(*message->mutable_summary(), pool_->Summary());
  return StreamStep::kMessage;
}

}  // namespace muster
