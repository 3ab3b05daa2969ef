#include "daemon/service/rpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_posix.h>
#include <sys/socket.h>

#include <chrono>
#include <utility>

namespace muster {
namespace {

// Peers may ask for signs of life this often; more often, and gRPC hangs up on them.
constexpr int kMinPingIntervalMs = 100;

// For a TLS handshake; a peer that is silent in it holds a descriptor that long.
constexpr int kHandshakeTimeoutMs = 10'000;

// How far a client on a unix socket may be behind before the daemon waits for it: most of a report, so that one is sent
// while the client takes the one before apart.
constexpr int kSendBufferBytes = 2 << 20;

// Other families find the right size themselves.
void EnlargeSendBuffer(int fd) {
  int family = 0;
  socklen_t size = sizeof(family);
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family != AF_UNIX) return;
  // Forcing it beyond net.core.wmem_max takes CAP_NET_ADMIN. A smaller buffer only costs time.
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &kSendBufferBytes, sizeof(kSendBufferBytes)) == 0) return;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof(kSendBufferBytes));
}

int Milliseconds(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

void Configure(const RpcServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(options.max_receive_bytes);
  // Reports may be larger than any default.
  builder->SetMaxSendMessageSize(-1);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive_time));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(options.keepalive_timeout));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder->AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, options.enable_channelz ? 1 : 0);
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const TlsMaterial& tls) {
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.ca;
  options.pem_key_cert_pairs = {{tls.key, tls.certificate}};
  return grpc::SslServerCredentials(options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(const RpcServerOptions& options, grpc::Service* service) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  if (options.enable_channelz) grpc::channelz::experimental::InitChannelzService();
  grpc::ServerBuilder builder;
  Configure(options, &builder);
  builder.RegisterService(service);
  std::unique_ptr<TlsAcceptor> tls_acceptor;
  if (options.tls.has_value()) {
    using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
    tls_acceptor = builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, Credentials(*options.tls));
  }
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return absl::InternalError("gRPC could not start a server; its own log says why");
  return std::unique_ptr<RpcServer>(new RpcServer(std::move(tls_acceptor), std::move(server)));
}

RpcServer::~RpcServer() { Shutdown(Deadline::After(absl::ZeroDuration())); }

void RpcServer::Adopt(UniqueFd connection) {
  EnlargeSendBuffer(connection.get());
  grpc::AddInsecureChannelFromFd(server_.get(), connection.Release());
}

void RpcServer::AdoptTls(UniqueFd connection) {
  TlsAcceptor::NewConnectionParameters parameters;
  parameters.fd = connection.Release();
  tls_acceptor_->HandleNewConnection(&parameters);
}

void RpcServer::StopServing() { server_->GetHealthCheckService()->SetServingStatus(false); }

void RpcServer::Shutdown(Deadline deadline) {
  if (std::exchange(shut_down_, true)) return;
  // Its calls would hold the shutdown up, and all of gRPC's threads are wanted now.
  poller_.reset();
  server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(deadline.Remaining()));
  server_->Wait();
}

}  // namespace muster
