#include "client/watcher.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/proto_time.h"
#include "client/rpc_status.h"

namespace muster {
namespace {

void AddTo(google::protobuf::RepeatedField<uint64_t>* totals, const google::protobuf::RepeatedField<uint64_t>& delta) {
  totals->Resize(std::max(totals->size(), delta.size()), 0);
  for (int i = 0; i < delta.size(); ++i) totals->Set(i, totals->Get(i) + delta.Get(i));
}

}  // namespace

Watcher::Watcher(std::shared_ptr<Connection> connection, std::string pool_id, absl::Duration period, Deadline deadline)
    : connection_(std::move(connection)), deadline_(deadline), what_(absl::StrCat("watch of pool ", pool_id)) {
  request_.set_pool_id(std::move(pool_id));
  *request_.mutable_period() = ToProto(period);
}

Watcher::~Watcher() {
  Cancel();
  if (reader_ != nullptr) CloseStream();
}

void Watcher::Cancel() {
  MutexLock lock(&mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

bool Watcher::IsCancelled() {
  MutexLock lock(&mutex_);
  return cancelled_;
}

absl::Status Watcher::OpenStream() {
  absl::StatusOr<std::shared_ptr<Connection::Stub>> stub =
      connection_->GetStub(deadline_, redials_, [this] { return IsCancelled(); });
  if (!stub.ok()) return absl::Status(stub.status().code(), absl::StrCat(what_, ": ", stub.status().message()));
  stub_ = *std::move(stub);
  grpc::ClientContext* context = nullptr;
  {
    MutexLock lock(&mutex_);
    if (cancelled_) return absl::CancelledError(absl::StrCat(what_, ": cancelled"));
    context_ = std::make_unique<grpc::ClientContext>();
    context = context_.get();
  }
  redials_.Begin();
  SetDeadline(context, deadline_);
  reader_ = stub_->Watch(context, request_);
  return absl::OkStatus();
}

grpc::Status Watcher::CloseStream() {
  // Finish waits for the end of the stream; whatever is unread is thrown away.
  v1::WatchUpdate unread;
  while (reader_->Read(&unread)) {
  }
  const grpc::Status status = reader_->Finish();
  reader_.reset();
  MutexLock lock(&mutex_);
  context_.reset();
  return status;
}

void Watcher::Account(const v1::WatchUpdate& update) {
  AddTo(request_.mutable_known_iterations(), update.iterations_delta());
  AddTo(request_.mutable_known_work_units(), update.work_units_delta());
}

absl::StatusOr<std::optional<v1::WatchUpdate>> Watcher::Next() {
  while (!ended_) {
    if (reader_ == nullptr) RETURN_IF_ERROR(OpenStream());
    v1::WatchUpdate update;
    if (reader_->Read(&update)) {
      connection_->traffic().Note();
      Account(update);
      redials_.NoteProgress();
      ended_ = update.final();
      return std::make_optional(std::move(update));
    }
    const grpc::Status status = CloseStream();
    if (status.ok()) break;
    // A daemon may bound the length of a call; ours is bounded by our own deadline.
    const bool cut = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && !deadline_.Expired();
    const bool broken = status.error_code() == grpc::StatusCode::UNAVAILABLE;
    if (broken) connection_->ReportBroken(stub_);
    if (!cut && !broken) return FromRpcStatus(status, what_);
    if (!redials_.TryAgain(deadline_)) return Redials::GivenUp(FromRpcStatus(status, what_), deadline_);
  }
  ended_ = true;
  return std::optional<v1::WatchUpdate>();
}

}  // namespace muster
