#include "daemon/service/collect_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "daemon/service/authority.h"
#include "daemon/service/encoding.h"

namespace muster {

absl::Status CollectSource::Begin(const CallContext& context, Waker) {
  RETURN_IF_ERROR(Decode(encoded_request_, &request_));
  next_worker_ = request_.from_worker();
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

absl::StatusOr<StreamStep> CollectSource::Next(grpc::ByteBuffer* message) {
  if (next_worker_ < pool_->num_workers()) {
    ASSIGN_OR_RETURN(*message, ReportOf(next_worker_));
    ++next_worker_;
    return StreamStep::kMessage;
  }
  if (std::exchange(summary_sent_, true)) return StreamStep::kEnd;
  v1::StopAndCollectResponse last;
  ASSIGN_OR_RETURN(*last.mutable_summary(), pool_->Summary());
  *message = Encode(last);
  return StreamStep::kMessage;
}

absl::StatusOr<grpc::ByteBuffer> CollectSource::ReportOf(uint32_t worker) {
  SamplesInPlace samples;
  if (request_.without_samples()) {
    RETURN_IF_ERROR(pool_->FillReport(worker, /*without_samples=*/true, &report_));
  } else {
    ASSIGN_OR_RETURN(samples, pool_->FillReportAroundSamples(worker, &report_));
  }
  return EncodeReport(report_, samples);
}

}  // namespace muster
