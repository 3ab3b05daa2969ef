// For tests: a service behind a real gRPC server, and a client that is connected to it.
#ifndef MUSTER_DAEMON_SERVICE_CONNECTED_SERVER_H_
#define MUSTER_DAEMON_SERVICE_CONNECTED_SERVER_H_

#include <grpcpp/create_channel_posix.h>
#include <sys/socket.h>

#include <memory>
#include <utility>

#include "daemon/service/rpc_server.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {

// Over a socket pair, as an accepted connection. The destructor hangs up and shuts the server down.
class ConnectedServer {
 public:
  explicit ConnectedServer(grpc::Service* service) : server_(*RpcServer::Start({}, service)), channel_(Connect()) {}

  // Ends all calls; the service may go afterwards. Threads of its own should, before this does.
  void Shutdown() { server_->Shutdown(Deadline::After(absl::ZeroDuration())); }

  std::unique_ptr<v1::Muster::Stub> Stub() { return v1::Muster::NewStub(channel_); }

 private:
  std::shared_ptr<grpc::Channel> Connect() {
    int ends[2] = {-1, -1};
    [[maybe_unused]] const int done = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
    server_->Adopt(UniqueFd(ends[0]));
    return grpc::CreateInsecureChannelFromFd("muster", ends[1]);
  }

  const std::unique_ptr<RpcServer> server_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_CONNECTED_SERVER_H_
