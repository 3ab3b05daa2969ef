#include "client/collector.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/rpc_status.h"

namespace muster {
namespace {

// The collection of one pool over any number of streams.
class Collection {
 public:
  Collection(Connection& connection, v1::StopAndCollectRequest request, const ReportCallback& on_report)
      : connection_(connection),
        request_(std::move(request)),
        on_report_(on_report),
        what_(absl::StrCat("collection of pool ", request_.pool_id())) {}

  absl::StatusOr<v1::PoolSummary> Run(const Deadline& deadline) {
    while (true) {
      const absl::Status status = ReadStream(deadline);
      if (!status.ok()) {
        // A daemon may bound the length of a call; ours is bounded by our own deadline.
        const bool cut = absl::IsDeadlineExceeded(status) && !deadline.Expired();
        if (!cut && !absl::IsUnavailable(status)) return status;
        if (!redials_.TryAgain(deadline)) return Redials::GivenUp(status, deadline);
        continue;
      }
      RETURN_IF_ERROR(CheckComplete());
      return *std::move(summary_);
    }
  }

 private:
  absl::Status ReadStream(const Deadline& deadline) {
    const absl::StatusOr<std::shared_ptr<Connection::Stub>> dialled = connection_.GetStub(deadline, redials_);
    if (!dialled.ok()) {
      return absl::Status(dialled.status().code(), absl::StrCat(what_, ": ", dialled.status().message()));
    }
    const std::shared_ptr<Connection::Stub>& stub = *dialled;
    redials_.Begin();
    grpc::ClientContext context;
    SetDeadline(&context, deadline);
    const std::unique_ptr<grpc::ClientReader<v1::StopAndCollectResponse>> reader =
        stub->StopAndCollect(&context, request_);
    absl::Status order;
    v1::StopAndCollectResponse message;
    while (order.ok() && reader->Read(&message)) order = Take(&message);
    if (!order.ok()) {
      context.TryCancel();
      reader->Finish();
      return order;
    }
    const grpc::Status status = reader->Finish();
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) connection_.ReportBroken(stub);
    return FromRpcStatus(status, what_);
  }

  absl::Status Take(v1::StopAndCollectResponse* message) {
    connection_.traffic().Note();
    if (message->has_summary()) {
      summary_ = std::move(*message->mutable_summary());
      return absl::OkStatus();
    }
    const uint32_t got = message->report().worker_index();
    if (!message->has_report() || got != request_.from_worker()) {
      return absl::InternalError(absl::StrCat(what_, ": the daemon sent the report of worker ", got, " where that of ",
                                              request_.from_worker(), " is due"));
    }
    request_.set_from_worker(got + 1);
    redials_.NoteProgress();
    on_report_(std::move(*message->mutable_report()));
    return absl::OkStatus();
  }

  absl::Status CheckComplete() const {
    if (!summary_.has_value()) return absl::InternalError(absl::StrCat(what_, ": the stream ended without a summary"));
    if (summary_->workers() == request_.from_worker()) return absl::OkStatus();
    return absl::InternalError(absl::StrCat(what_, ": the daemon speaks of ", summary_->workers(), " workers and sent ",
                                            request_.from_worker(), " reports"));
  }

  Connection& connection_;
  // Its from_worker is the next report that is due.
  v1::StopAndCollectRequest request_;
  const ReportCallback& on_report_;
  const std::string what_;
  Redials redials_ = connection_.NewRedials();
  std::optional<v1::PoolSummary> summary_;
};

}  // namespace

absl::StatusOr<v1::PoolSummary> CollectReports(Connection& connection, v1::StopAndCollectRequest request,
                                               const Deadline& deadline, const ReportCallback& on_report) {
  return Collection(connection, std::move(request), on_report).Run(deadline);
}

}  // namespace muster
