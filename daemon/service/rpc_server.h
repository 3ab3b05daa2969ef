// The gRPC server, which never listens: it is handed connections.
#ifndef MUSTER_DAEMON_SERVICE_RPC_SERVER_H_
#define MUSTER_DAEMON_SERVICE_RPC_SERVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/unique_fd.h"
#include "grpcpp/server.h"

namespace muster {

struct RpcServerOptions {
  // A peer that is silent for the first is asked for a sign of life, and is gone when it gives none within the second.
  // Nothing else notices a frozen one.
  absl::Duration keepalive_time = absl::Seconds(1);
  absl::Duration keepalive_timeout = absl::Seconds(1);
  int max_receive_bytes = 16 << 20;
  bool enable_channelz = false;
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

  // Health says NOT_SERVING from now on; calls are served all the same.
  void StopServing();

  // Takes no more calls, waits for those under way, and cancels them at the deadline.
  void Shutdown(Deadline deadline);

 private:
  explicit RpcServer(std::unique_ptr<grpc::Server> server) : server_(std::move(server)) {}

  const std::unique_ptr<grpc::Server> server_;
  bool shut_down_ = false;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_RPC_SERVER_H_
