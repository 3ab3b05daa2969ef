#include "daemon/service/rpc_server.h"

#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "base/listener.h"
#include "base/test_certificates.h"
#include "daemon/service/unary_call.h"
#include "grpcpp/generic/generic_stub.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {
namespace {

// Answers each method that the tests call, after a handler on an executor.
class SmallService final : public v1::Muster::CallbackService {
 public:
  grpc::ServerUnaryReactor* ListPools(grpc::CallbackServerContext* context, const v1::ListPoolsRequest* request,
                                      v1::ListPoolsResponse* response) override {
    return UnaryCall<v1::ListPoolsRequest, v1::ListPoolsResponse>::Start(
        {context, &executor_, &peers_, absl::Seconds(20)}, {request, response},
        [](const v1::ListPoolsRequest&, const CallContext& call, v1::ListPoolsResponse* answer) {
          answer->add_pools()->set_owner(call.peer);
          return absl::OkStatus();
        });
  }

  PeerTable peers_;
  Executor executor_{{.name = "test", .max_threads = 2, .max_queued = 8}};
};

class RpcServerTest : public testing::Test {
 protected:
  void Start(const RpcServerOptions& options = {}) {
    absl::StatusOr<std::unique_ptr<RpcServer>> server = RpcServer::Start(options, &service_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::shared_ptr<grpc::Channel> Connect() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    service_.peers_.Set(ends[0], UnixPeer{17, 0, 0});
    server_->Adopt(UniqueFd(ends[0]));
    return grpc::CreateInsecureChannelFromFd("muster", ends[1]);
  }

  // Calls a method with ready-made bytes.
  grpc::Status CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                       const std::string& request, std::string* answer) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    grpc::GenericStub stub(channel);
    grpc::CompletionQueue queue;
    const grpc::Slice slice(request);
    const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    grpc::ByteBuffer out;
    grpc::Status status;
    call->StartCall();
    call->Finish(&out, &status, this);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    grpc::Slice whole;
    if (status.ok() && out.TrySingleSlice(&whole).ok()) answer->assign(whole.begin(), whole.end());
    return status;
  }

  SmallService service_;
  std::unique_ptr<RpcServer> server_;
};

TEST_F(RpcServerTest, AUnixSocketTakesMoreThanTheKernelsDefault) {
  Start();
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  const UniqueFd client(ends[1]), server(fcntl(ends[0], F_DUPFD_CLOEXEC, 0));
  server_->Adopt(UniqueFd(ends[0]));
  const auto buffer_of = [](int fd) {
    int bytes = 0;
    socklen_t size = sizeof(bytes);
    EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &size), 0);
    return bytes;
  };
  EXPECT_GT(buffer_of(server.get()), buffer_of(client.get()));
}

TEST_F(RpcServerTest, ServesAConnectionItWasHandedAndKnowsWhoCalls) {
  Start();
  const auto stub = v1::Muster::NewStub(Connect());
  grpc::ClientContext context;
  v1::ListPoolsResponse response;
  const grpc::Status status = stub->ListPools(&context, {}, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.pools(0).owner(), "pid 17 uid 0 gid 0");
}

TEST_F(RpcServerTest, PeerOverTlsIsKnownByItsCertificate) {
  const TestCertificates authority;
  RpcServerOptions options;
  options.tls = *ReadTlsFiles(authority.Issue("daemon", "IP:127.0.0.1"));
  Start(options);
  absl::StatusOr<Listener> listener = Listener::Listen(TcpAddress{"127.0.0.1", 0});
  ASSERT_TRUE(listener.ok()) << listener.status();
  const TlsMaterial client = *ReadTlsFiles(authority.Issue("dash\"board"));
  const auto credentials = grpc::SslCredentials(
      {.pem_root_certs = client.ca, .pem_private_key = client.key, .pem_cert_chain = client.certificate});
  const uint16_t port = std::get<TcpAddress>(listener->address()).port;
  const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(port), credentials);
  // Has it dial.
  channel->GetState(true);
  server_->AdoptTls(std::move(listener->Accept(absl::Seconds(20))->fd));
  grpc::ClientContext context;
  v1::ListPoolsResponse response;
  const grpc::Status status = v1::Muster::NewStub(channel)->ListPools(&context, {}, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const std::string& peer = response.pools(0).owner();
  EXPECT_TRUE(absl::StartsWith(peer, "ipv4:127.0.0.1:")) << peer;
  EXPECT_TRUE(absl::EndsWith(peer, " \"dash\\\"board\"")) << peer;
}

TEST_F(RpcServerTest, HealthIsServingAndThenNotServing) {
  Start();
  const auto channel = Connect();
  std::string answer;
  ASSERT_TRUE(CallRaw(channel, "/grpc.health.v1.Health/Check", "", &answer).ok());
  // HealthCheckResponse.status: SERVING is 1, NOT_SERVING is 2.
  EXPECT_EQ(answer, "\x08\x01");
  server_->StopServing();
  ASSERT_TRUE(CallRaw(channel, "/grpc.health.v1.Health/Check", "", &answer).ok());
  EXPECT_EQ(answer, "\x08\x02");
  // Calls are answered all the same.
  ASSERT_TRUE(CallRaw(channel, "/muster.v1.Muster/ListPools", "", &answer).ok());
}

TEST_F(RpcServerTest, ReflectionIsThere) {
  Start();
  const auto channel = Connect();
  std::string answer;
  // A stream; a unary call of it reaches the service and ends without a request.
  const grpc::Status status =
      CallRaw(channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "\x3a", &answer);
  EXPECT_NE(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
}

TEST_F(RpcServerTest, ChannelzIsOffUnlessAskedFor) {
  Start();
  std::string answer;
  const grpc::Status status = CallRaw(Connect(), "/grpc.channelz.v1.Channelz/GetServers", "", &answer);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(RpcServerTest, AMessageAboveTheLimitGetsGrpcsOwnRefusal) {
  Start({.max_receive_bytes = 1000});
  std::string answer;
  const grpc::Status status = CallRaw(Connect(), "/muster.v1.Muster/ListPools", std::string(1001, '\0'), &answer);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(RpcServerTest, ShutdownWithoutACallUnderWayDoesNotWait) {
  Start();
  const auto channel = Connect();
  std::string answer;
  ASSERT_TRUE(CallRaw(channel, "/muster.v1.Muster/ListPools", "", &answer).ok());
  const Deadline deadline = Deadline::After(absl::Seconds(10));
  server_->Shutdown(deadline);
  EXPECT_FALSE(deadline.Expired());
}

}  // namespace
}  // namespace muster
