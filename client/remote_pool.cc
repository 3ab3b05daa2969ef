#include "client/remote_pool.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/request_id.h"

namespace muster {

using Stub = Connection::Stub;

absl::StatusOr<v1::PlaceResponse> RemotePool::Place(v1::PlaceRequest request, CallOptions options) const {
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = authority_;
  request.set_pool_id(id_);
  return connection_->Call(&Stub::Place, request, options.deadline(), absl::StrCat("placement of pool ", id_));
}

absl::Status RemotePool::Start(CallOptions options) const {
  v1::StartRequest request;
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = authority_;
  request.add_pool_ids(id_);
  return connection_->Call(&Stub::Start, request, options.deadline(), absl::StrCat("start of pool ", id_)).status();
}

absl::StatusOr<v1::SnapshotResponse> RemotePool::Snapshot(CallOptions options) const {
  v1::SnapshotRequest request;
  request.set_pool_id(id_);
  return connection_->Call(&Stub::Snapshot, request, options.deadline(), absl::StrCat("snapshot of pool ", id_));
}

std::unique_ptr<Watcher> RemotePool::Watch(absl::Duration period, CallOptions options) const {
  return std::make_unique<Watcher>(connection_, id_, period, options.deadline());
}

absl::StatusOr<v1::PoolSummary> RemotePool::Collect(const CollectOptions& options,
                                                    const ReportCallback& on_report) const {
  v1::StopAndCollectRequest request;
  *request.mutable_authority() = authority_;
  request.set_pool_id(id_);
  request.set_without_samples(options.without_samples);
  return CollectReports(*connection_, std::move(request), options.call.deadline(), on_report);
}

absl::Status RemotePool::Confirm(CallOptions options) const {
  v1::ConfirmReportsRequest request;
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = authority_;
  request.set_pool_id(id_);
  return connection_
      ->Call(&Stub::ConfirmReports, request, options.deadline(), absl::StrCat("confirmation of pool ", id_))
      .status();
}

absl::StatusOr<bool> RemotePool::Drop(CallOptions options) const {
  v1::DropRequest request;
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = authority_;
  request.set_pool_id(id_);
  ASSIGN_OR_RETURN(const v1::DropResponse response,
                   connection_->Call(&Stub::Drop, request, options.deadline(), absl::StrCat("drop of pool ", id_)));
  return response.existed();
}

}  // namespace muster
