#include "daemon/service/single_poller.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/mutex.h"
#include "base/no_threads_testing.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {
namespace {

// Notes the threads on which gRPC brings its calls.
class NotingService final : public v1::Muster::CallbackService {
 public:
  grpc::ServerUnaryReactor* ListPools(grpc::CallbackServerContext* context, const v1::ListPoolsRequest*,
                                      v1::ListPoolsResponse*) override {
    {
      MutexLock lock(&mutex_);
      threads_.insert(gettid());
    }
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  size_t num_threads() {
    MutexLock lock(&mutex_);
    return threads_.size();
  }

 private:
  Mutex mutex_;
  std::set<pid_t> threads_ ABSL_GUARDED_BY(mutex_);
};

class SinglePollerTest : public testing::Test {
 protected:
  SinglePollerTest() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }

  // One call after another, each awaited.
  void CallOften(int times) {
    const auto stub = v1::Muster::NewStub(server_->InProcessChannel(grpc::ChannelArguments()));
    for (int i = 0; i < times; ++i) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      v1::ListPoolsResponse response;
      const grpc::Status status = stub->ListPools(&context, {}, &response);
      ASSERT_TRUE(status.ok()) << status.error_message();
    }
  }

  NotingService service_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(SinglePollerTest, OneThreadBringsAllCalls) {
  const SinglePoller poller(server_.get());
  EXPECT_GE(poller.parked(), 1);
  CallOften(200);
  EXPECT_EQ(service_.num_threads(), 1u);
}

TEST_F(SinglePollerTest, ASecondOneParksNothing) {
  const SinglePoller first(server_.get());
  const SinglePoller second(server_.get());
  EXPECT_EQ(second.parked(), 0);
  CallOften(1);
}

TEST_F(SinglePollerTest, WithoutRoomForAThreadItParksNone) {
  const NoThreadsForTesting full;
  const SinglePoller poller(server_.get());
  EXPECT_EQ(poller.parked(), 0);
}

TEST_F(SinglePollerTest, TheThreadsAreLetGo) {
  { const SinglePoller poller(server_.get()); }
  // They are there for the next one.
  const SinglePoller again(server_.get());
  EXPECT_GE(again.parked(), 1);
  CallOften(1);
}

TEST_F(SinglePollerTest, ShutdownAfterItDoesNotWait) {
  { const SinglePoller poller(server_.get()); }
  const Deadline deadline = Deadline::After(absl::Seconds(20));
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(20));
  server_->Wait();
  EXPECT_FALSE(deadline.Expired());
}

}  // namespace
}  // namespace muster
