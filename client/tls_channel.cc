#include "client/tls_channel.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {
namespace {

std::chrono::system_clock::time_point ToChrono(const Deadline& deadline) {
  return std::chrono::system_clock::now() + absl::ToChronoMicroseconds(deadline.Remaining());
}

// What gRPC knows of the failure; it answers a call with it at once. OK when the connection has come up meanwhile.
grpc::Status Ask(const std::shared_ptr<grpc::Channel>& channel, const Deadline& deadline) {
  grpc::ClientContext context;
  context.set_deadline(ToChrono(deadline));
  v1::GetServerInfoResponse response;
  return v1::Muster::NewStub(channel)->GetServerInfo(&context, v1::GetServerInfoRequest(), &response);
}

// Which step failed, and what may be wrong. `reason` is gRPC's text, which tests pin; one that is not known stands for
// itself.
absl::Status Explain(absl::string_view reason, const TcpAddress& address, const TlsOptions& tls) {
  absl::ConsumePrefix(&reason, "failed to connect to all addresses; last error: ");
  const std::string where = FormatAddress(address);
  if (absl::StrContains(reason, "DNS resolution failed")) {
    return absl::UnavailableError(absl::StrCat("look up ", address.host, ": ", reason));
  }
  if (absl::StrContains(reason, "Failed to connect to remote host")) {
    return absl::UnavailableError(absl::StrCat("connect to ", where, ": ", reason));
  }
  if (absl::StrContains(reason, "is not in peer certificate")) {
    const std::string& name = tls.server_name.empty() ? address.host : tls.server_name;
    return absl::UnauthenticatedError(absl::StrCat("TLS with ", where, ": the daemon's certificate does not name \"",
                                                   name, "\" among its alternative names: ", reason));
  }
  if (absl::StrContains(reason, "wrong version number")) {
    return absl::UnauthenticatedError(absl::StrCat("TLS with ", where, ": the daemon does not speak TLS: ", reason));
  }
  if (absl::StrContains(reason, "Ssl handshake failed")) {
    return absl::UnauthenticatedError(
        absl::StrCat("TLS with ", where, ": is the daemon's certificate signed by ", tls.files.ca, "? ", reason));
  }
  // A daemon that dies in the middle looks the same.
  return absl::UnavailableError(absl::StrCat("TLS with ", where,
                                             ": the daemon hung up; it does so when its authority "
                                             "has not signed ",
                                             tls.files.certificate, ": ", reason));
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> DialTls(const TcpAddress& address, const TlsOptions& tls,
                                                       grpc::ChannelArguments arguments, const Deadline& deadline) {
  ASSIGN_OR_RETURN(TlsMaterial material, ReadTlsFiles(tls.files));
  const auto credentials = grpc::SslCredentials(
      {.pem_root_certs = material.ca, .pem_private_key = material.key, .pem_cert_chain = material.certificate});
  // Each of our channels dials by itself, at once, and whom we say.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (!tls.server_name.empty()) arguments.SetSslTargetNameOverride(tls.server_name);
  const bool v6 = absl::StrContains(address.host, ":");
  const std::string target = absl::StrCat("dns:///", v6 ? "[" : "", address.host, v6 ? "]" : "", ":", address.port);
  std::shared_ptr<grpc::Channel> channel = grpc::CreateCustomChannel(target, credentials, arguments);
  while (true) {
    const grpc_connectivity_state state = channel->GetState(true);
    if (state == GRPC_CHANNEL_READY) return channel;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) {
      const grpc::Status status = Ask(channel, deadline);
      if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return Explain(status.error_message(), address, tls);
    }
    if (!channel->WaitForStateChange(state, ToChrono(deadline)) && deadline.Expired()) {
      return absl::DeadlineExceededError(
          absl::StrCat("timed out waiting for TLS with ", FormatAddress(address), ": neither accepted nor refused"));
    }
  }
}

}  // namespace muster
