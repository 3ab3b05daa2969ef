#include "client/lease.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/make_thread.h"
#include "base/status_macros.h"
#include "client/lease_stream.h"
#include "client/proto_time.h"
#include "client/request_id.h"
#include "client/rpc_status.h"

namespace muster {
namespace {

constexpr absl::Duration kEndTimeout = absl::Seconds(10);
constexpr absl::Duration kRedialTimeout = absl::Seconds(2);

}  // namespace

absl::StatusOr<std::unique_ptr<Lease>> Lease::Open(std::shared_ptr<Connection> connection, LeaseOptions options,
                                                   const Deadline& deadline) {
  auto lease = std::unique_ptr<Lease>(new Lease(std::move(connection), std::move(options)));
  ASSIGN_OR_RETURN(lease->reader_, MakeThread("the lease", [raw = lease.get()] { raw->Run(); }));
  MutexLock lock(&lease->mutex_);
  while (lease->state_ == State::kOpening) {
    if (!lease->changed_.WaitUntil(&lease->mutex_, deadline.when()) && deadline.Expired()) {
      lease->lost_ = absl::DeadlineExceededError("opening a lease: no answer in time");
      break;
    }
  }
  if (!lease->lost_.ok()) return lease->lost_;
  return lease;
}

Lease::~Lease() {
  bool held = false;
  {
    MutexLock lock(&mutex_);
    held = state_ == State::kHeld;
    ending_ = true;
    changed_.NotifyAll();
  }
  if (held) EndAtDaemon();
  connection_->traffic().Hurry();
  {
    MutexLock lock(&mutex_);
    if (context_ != nullptr) context_->TryCancel();
  }
  if (reader_.joinable()) reader_.join();
}

void Lease::EndAtDaemon() {
  v1::EndLeaseRequest request;
  request.set_request_id(NewRequestId());
  const v1::Authority mine = authority();
  request.set_lease_id(mine.lease_id());
  request.set_lease_secret(mine.lease_secret());
  const absl::Status status =
      connection_->Call(&Connection::Stub::EndLease, request, Deadline::After(kEndTimeout), "end of the lease")
          .status();
  // A daemon that is gone took the lease along, and one that cannot be reached ends it after its grace time.
  if (!status.ok() && !absl::IsNotFound(status) && !absl::IsUnavailable(status)) LogWarning(status.message());
}

v1::Authority Lease::authority() const {
  MutexLock lock(&mutex_);
  v1::Authority authority;
  authority.set_lease_id(opened_.lease_id());
  authority.set_lease_secret(opened_.lease_secret());
  return authority;
}

absl::Status Lease::status() const {
  MutexLock lock(&mutex_);
  return lost_;
}

v1::OpenLeaseRequest Lease::Request() const {
  v1::OpenLeaseRequest request;
  request.set_owner(options_.owner);
  if (options_.grace.has_value()) *request.mutable_grace() = ToProto(*options_.grace);
  MutexLock lock(&mutex_);
  // Empty before the first stream: a new lease.
  request.set_lease_id(opened_.lease_id());
  request.set_lease_secret(opened_.lease_secret());
  return request;
}

void Lease::Run() {
  int attempt = 0;
  while (true) {
    const absl::Status status = ReadStream();
    {
      MutexLock lock(&mutex_);
      // A stream that was up starts the count of attempts anew.
      if (state_ == State::kHeld && !reattach_by_.has_value()) {
        reattach_by_ = Deadline::After(FromProto(opened_.ttl()) + FromProto(opened_.grace()));
        attempt = 0;
      }
    }
    if (!MayReattach(status) || !Pause(attempt++)) return;
  }
}

absl::Status Lease::ReadStream() {
  ASSIGN_OR_RETURN(const std::shared_ptr<Connection::Stub> stub, connection_->GetStub(Deadline::After(kRedialTimeout)));
  // No deadline: the stream lives as long as the lease, and keepalive watches over it.
  grpc::ClientContext context;
  {
    MutexLock lock(&mutex_);
    if (ending_) return absl::CancelledError("the lease is being ended");
    context_ = &context;
  }
  LeaseStream stream(stub.get(), &context, Request(), &connection_->traffic());
  v1::LeaseEvent event;
  while (stream.Read(&event)) OnMessage(event);
  const grpc::Status status = stream.Finish();
  {
    MutexLock lock(&mutex_);
    context_ = nullptr;
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) connection_->ReportBroken(stub);
  return status.ok() ? absl::UnavailableError("the daemon ended the lease's stream")
                     : FromRpcStatus(status, "stream of the lease");
}

void Lease::OnMessage(const v1::LeaseEvent& event) {
  if (event.has_opened()) {
    MutexLock lock(&mutex_);
    opened_ = event.opened();
    state_ = State::kHeld;
    reattach_by_.reset();
    changed_.NotifyAll();
  }
  if (options_.on_event) options_.on_event(event);
}

bool Lease::MayReattach(const absl::Status& status) {
  MutexLock lock(&mutex_);
  if (ending_) return false;
  const bool passing = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  if (state_ == State::kHeld && passing && !reattach_by_->Expired()) return true;
  const absl::string_view act = state_ == State::kHeld ? "the lease was lost: " : "opening a lease: ";
  lost_ = absl::Status(status.code(), absl::StrCat(act, status.message()));
  state_ = State::kLost;
  changed_.NotifyAll();
  return false;
}

bool Lease::Pause(int attempt) {
  if (attempt == 0) return true;
  const Deadline until = Deadline::After(absl::Milliseconds(std::min(50 << std::min(attempt, 5), 1000)));
  MutexLock lock(&mutex_);
  while (!ending_ && !until.Expired()) changed_.WaitUntil(&mutex_, until.when());
  return !ending_;
}

}  // namespace muster
