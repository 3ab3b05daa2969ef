// The gRPC server, which never listens: it is handed connections.
#ifndef MUSTER_DAEMON_SERVICE_RPC_SERVER_H_
#define MUSTER_DAEMON_SERVICE_RPC_SERVER_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/tls_files.h"
#include "base/unique_fd.h"
#include "daemon/service/single_poller.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace muster {

struct RpcServerOptions {
  // A peer that is silent for the first is asked for a sign of life, and is gone when it gives none within the second.
  // Nothing else notices a frozen one.
  absl::Duration keepalive_time = absl::Seconds(1);
  absl::Duration keepalive_timeout = absl::Seconds(1);
  int max_receive_bytes = 16 << 20;
  bool enable_channelz = false;
  // For AdoptTls.
  std::optional<TlsMaterial> tls;
};

// Serves a service, grpc.health.v1, server reflection and, when asked for, channelz. The destructor cancels what still
// runs.
class RpcServer {
 public:
  // `service` outlives this object. Health says SERVING. One per process has these options, in effect: gRPC's plugins
  // are global.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(const RpcServerOptions& options, grpc::Service* service);
  ~RpcServer();
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // Serves a connected, non-blocking stream socket. Any thread.
  void Adopt(UniqueFd connection);

  // The same over TLS, of a socket that came in over tcp: hangs up on who shows no certificate that the authority in
  // options.tls has signed. Needs these options.
  void AdoptTls(UniqueFd connection);

  // Health says NOT_SERVING from now on; calls are served all the same.
  void StopServing();

  // Takes no more calls, waits for those under way, and cancels them at the deadline.
  void Shutdown(Deadline deadline);

 private:
  using TlsAcceptor = grpc::experimental::ExternalConnectionAcceptor;

  RpcServer(std::unique_ptr<TlsAcceptor> tls_acceptor, std::unique_ptr<grpc::Server> server)
      : tls_acceptor_(std::move(tls_acceptor)), server_(std::move(server)), poller_(std::in_place, server_.get()) {}

  // Null: no TLS.
  const std::unique_ptr<TlsAcceptor> tls_acceptor_;
  const std::unique_ptr<grpc::Server> server_;
  // Until the shutdown.
  std::optional<SinglePoller> poller_;
  bool shut_down_ = false;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_RPC_SERVER_H_
