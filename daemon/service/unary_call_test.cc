#include "daemon/service/unary_call.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <utility>

#include "base/event.h"
#include "daemon/service/connected_server.h"

namespace muster {
namespace {

bool Await(const Event& event) { return event.Wait(Deadline::After(absl::Seconds(20))); }

// Its answer does not wait for what the handler keeps; the end of that waits until the client says that it has the
// answer.
class KeepingService final : public v1::Muster::CallbackService {
 public:
  grpc::ServerUnaryReactor* ListPools(grpc::CallbackServerContext* context, const v1::ListPoolsRequest* request,
                                      v1::ListPoolsResponse* response) override {
    return UnaryCall<v1::ListPoolsRequest, v1::ListPoolsResponse>::Start(
        {context, &executor_, &peers_, absl::Seconds(30)}, {request, response},
        [this](const v1::ListPoolsRequest&, const CallContext& call, v1::ListPoolsResponse*) {
          call.KeepUntilAnswered(std::shared_ptr<const void>(this, [this](const void*) {
            ended_after_answer = Await(answered);
            ended.Set();
          }));
          return fails ? absl::NotFoundError("x") : absl::OkStatus();
        });
  }

  // Whether the handler says so; atomic, since the thread sanitizer does not see the order that gRPC gives.
  std::atomic<bool> fails = false;
  Event answered;
  Event ended;
  bool ended_after_answer = false;

 private:
  PeerTable peers_;
  Executor executor_{{.name = "test", .max_threads = 2, .max_queued = 8}};
};

class UnaryCallTest : public testing::Test {
 protected:
  grpc::Status Call() {
    grpc::ClientContext context;
    v1::ListPoolsResponse response;
    const grpc::Status status = server_.Stub()->ListPools(&context, {}, &response);
    service_.answered.Set();
    EXPECT_TRUE(Await(service_.ended));
    return status;
  }

  KeepingService service_;
  ConnectedServer server_{&service_};
};

TEST_F(UnaryCallTest, WhatAHandlerKeepsEndsAfterTheAnswer) {
  EXPECT_TRUE(Call().ok());
  EXPECT_TRUE(service_.ended_after_answer);
}

TEST_F(UnaryCallTest, WhatAHandlerKeepsEndsAfterAnErrorToo) {
  service_.fails = true;
  EXPECT_EQ(Call().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(service_.ended_after_answer);
}

}  // namespace
}  // namespace muster
