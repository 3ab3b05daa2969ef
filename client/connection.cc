#include "client/connection.h"

#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/guest_dial.h"
#include "client/rpc_status.h"

namespace muster {
namespace {

// A dial that can be cancelled is one of several of this length. That costs a hybrid vsock nothing (client/dialler.h);
// others begin anew, as the kernel does with a vsock after this time.
constexpr absl::Duration kDialSlice = absl::Seconds(2);

grpc::ChannelArguments ChannelArguments(const ConnectionOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_time)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_timeout)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A report with three full sample vectors has 2.4 MB; its size is the daemon's and the spec's matter.
  arguments.SetMaxReceiveMessageSize(-1);
  return arguments;
}

}  // namespace

void SetDeadline(grpc::ClientContext* context, const Deadline& deadline) {
  context->set_deadline(gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(absl::ToInt64Nanoseconds(deadline.Remaining()), GPR_TIMESPAN)));
}

absl::StatusOr<std::shared_ptr<Connection>> Connection::Open(const Address& address, const ConnectionOptions& options,
                                                             const Deadline& deadline) {
  auto connection = std::shared_ptr<Connection>(new Connection(address, options));
  ASSIGN_OR_RETURN(std::shared_ptr<Stub> stub, connection->DialStub(deadline, Patience::kBoot));
  MutexLock lock(&connection->mutex_);
  connection->stub_ = std::move(stub);
  return connection;
}

absl::StatusOr<std::shared_ptr<Connection::Stub>> Connection::DialStub(const Deadline& deadline, Patience patience) {
  if (options_.tls.has_value()) return DialTlsStub(deadline);
  const auto once = [this](const Deadline& until) { return dialler_.Dial(until); };
  ASSIGN_OR_RETURN(UniqueFd fd, patience == Patience::kBoot ? DialPatiently(address_, deadline, once) : once(deadline));
  // The channel owns the descriptor from here on. The name is only the :authority of the requests.
  return std::make_shared<Stub>(
      grpc::CreateCustomInsecureChannelFromFd("muster", fd.Release(), ChannelArguments(options_)));
}

absl::StatusOr<std::shared_ptr<Connection::Stub>> Connection::DialTlsStub(const Deadline& deadline) const {
  const auto* tcp = std::get_if<TcpAddress>(&address_);
  if (tcp == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("dial ", FormatAddress(address_), " with TLS: only tcp://host:port has TLS"));
  }
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel,
                   DialTls(*tcp, *options_.tls, ChannelArguments(options_), deadline));
  return std::make_shared<Stub>(channel);
}

absl::StatusOr<std::shared_ptr<Connection::Stub>> Connection::GetStub(const Deadline& deadline) {
  {
    MutexLock lock(&mutex_);
    if (stub_ != nullptr) return stub_;
  }
  // Without the lock: dialling takes up to the deadline. Of two callers that dial at once, the second one's channel is
  // dropped.
  ASSIGN_OR_RETURN(std::shared_ptr<Stub> dialled, DialStub(deadline, Patience::kNone));
  MutexLock lock(&mutex_);
  if (stub_ == nullptr) stub_ = std::move(dialled);
  return stub_;
}

absl::StatusOr<std::shared_ptr<Connection::Stub>> Connection::GetStub(const Deadline& deadline, const Redials& redials,
                                                                      const std::function<bool()>& cancelled) {
  const absl::Duration slice = cancelled ? kDialSlice : absl::InfiniteDuration();
  const Deadline until = Earlier(deadline, redials.Until());
  while (true) {
    if (cancelled && cancelled()) return absl::CancelledError("cancelled");
    absl::StatusOr<std::shared_ptr<Stub>> stub = GetStub(Earlier(until, Deadline::After(slice)));
    if (!absl::IsDeadlineExceeded(stub.status())) return stub;
    if (!until.Expired()) continue;
    if (deadline.Expired()) return stub;
    return absl::UnavailableError(absl::StrCat(stub.status().message(), "; given up, as redial_for is ",
                                               absl::FormatDuration(options_.redial_for)));
  }
}

void Connection::ReportBroken(const std::shared_ptr<Stub>& stub) {
  MutexLock lock(&mutex_);
  if (stub_ == stub) stub_.reset();
}

absl::Status Connection::Retry(const Deadline& deadline, absl::string_view what, Attempt attempt) {
  absl::Status broken;
  std::string whole(what);
  Redials redials = NewRedials();
  do {
    absl::StatusOr<std::shared_ptr<Stub>> stub = GetStub(deadline, redials);
    if (!stub.ok()) return absl::Status(stub.status().code(), absl::StrCat(whole, ": ", stub.status().message()));
    redials.Begin();
    grpc::ClientContext context;
    SetDeadline(&context, deadline);
    traffic_.Note();
    const grpc::Status status = attempt(**stub, &context);
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return FromRpcStatus(status, whole);
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return FromRpcStatus(status, what);
    ReportBroken(*stub);
    broken = FromRpcStatus(status, what);
    whole = absl::StrCat(what, " (dialling again after \"", broken.message(), "\")");
  } while (redials.TryAgain(deadline));
  if (deadline.Expired()) return absl::DeadlineExceededError(absl::StrCat(whole, ": no time left"));
  if (!std::holds_alternative<TcpAddress>(address_) || options_.tls.has_value()) return broken;
  return absl::UnavailableError(absl::StrCat(broken.message(), "; it hangs up each time: does it speak TLS on ",
                                             FormatAddress(address_), "? Then it wants certificates"));
}

}  // namespace muster
