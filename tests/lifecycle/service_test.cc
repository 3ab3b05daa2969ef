// The service as any gRPC client sees it, without our library: stubs over gRPC's own unix transport.
#include <grpcpp/grpcpp.h>

#include <thread>

#include "absl/strings/match.h"
#include "google/rpc/error.pb.h"
#include "muster/v1/muster.grpc.pb.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

class ServiceTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    Dial();
  }

  void Dial() {
    channel_ = grpc::CreateChannel(daemon_->address(), grpc::InsecureChannelCredentials());
    stub_ = v1::Muster::NewStub(channel_);
  }

  static void In(grpc::ClientContext* context, absl::Duration timeout) {
    context->set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout));
  }

  // Opens a lease whose stream stays open as long as `context`.
  v1::LeaseEvent::Opened Open(grpc::ClientContext* context) {
    v1::OpenLeaseRequest request;
    request.mutable_grace()->set_nanos(200'000'000);
    stream_ = stub_->OpenLease(context, request);
    v1::LeaseEvent event;
    EXPECT_TRUE(stream_->Read(&event));
    return event.opened();
  }

  template <typename Request>
  static void Own(const v1::LeaseEvent::Opened& lease, Request* request) {
    request->mutable_authority()->set_lease_id(lease.lease_id());
    request->mutable_authority()->set_lease_secret(lease.lease_secret());
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Muster::Stub> stub_;
  std::unique_ptr<grpc::ClientReader<v1::LeaseEvent>> stream_;
};

TEST_F(ServiceTest, ServerInfoSaysWhatTheDaemonCanDo) {
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  const grpc::Status status = stub_->GetServerInfo(&context, {}, &info);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_NE(info.version(), "");
  EXPECT_GE(info.protocol_max(), info.protocol_min());
  EXPECT_NE(info.kernel_release(), "");
  EXPECT_NE(info.topology().cpus_online(), "");
  EXPECT_GE(info.topology().nodes_size(), 1);
  EXPECT_EQ(info.instance(), daemon_->instance());
  EXPECT_GT(info.monotonic_ns(), 0u);
  EXPECT_GT(info.realtime_ns(), 0u);
  std::vector<std::string> names;
  for (const auto& type : info.work_types()) names.push_back(type.name());
  EXPECT_THAT(names, testing::IsSupersetOf({"SpinWait", "YieldHeavy", "Mixed", "Bursty", "Sequence", "PipeIo",
                                            "FutexPingPong", "FutexFanOut", "MutexContention", "CachePressure",
                                            "PageFaultChurn", "TimerLatency", "AluHot", "ForkExit", "Custom"}));
  for (const auto& controller : info.cgroup_controllers()) {
    EXPECT_EQ(controller.available(), controller.reason().empty()) << controller.ShortDebugString();
  }
  std::vector<std::string> limits;
  for (const auto& limit : info.limits()) limits.push_back(limit.name());
  EXPECT_THAT(limits, testing::IsSupersetOf({"max_workers", "max_spec_bytes", "max_arena_bytes", "max_pools"}));
}

TEST_F(ServiceTest, ARetryWithTheSameRequestIdGivesTheFirstAnswerNotASecondPool) {
  grpc::ClientContext lease_context;
  const v1::LeaseEvent::Opened lease = Open(&lease_context);
  v1::SpawnRequest request;
  request.set_request_id("once");
  Own(lease, &request);
  v1::SpawnResponse first, second;
  grpc::ClientContext a, b, c;
  ASSERT_TRUE(stub_->Spawn(&a, request, &first).ok());
  ASSERT_TRUE(stub_->Spawn(&b, request, &second).ok());
  EXPECT_EQ(first.pool_id(), second.pool_id());
  request.mutable_spec()->set_num_workers(2);
  const grpc::Status other = stub_->Spawn(&c, request, &second);
  EXPECT_EQ(other.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << "the id was another request's";
  EXPECT_TRUE(absl::StrContains(other.error_message(), "request_id"));
  lease_context.TryCancel();
}

TEST_F(ServiceTest, ConcurrentRetriesMakeOnePool) {
  grpc::ClientContext lease_context;
  const v1::LeaseEvent::Opened lease = Open(&lease_context);
  v1::SpawnRequest request;
  request.set_request_id("at once");
  Own(lease, &request);
  std::vector<std::string> ids(4);
  std::vector<std::thread> threads;
  for (std::string& id : ids) {
    threads.emplace_back([&] {
      grpc::ClientContext context;
      v1::SpawnResponse response;
      if (stub_->Spawn(&context, request, &response).ok()) id = response.pool_id();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(ids, testing::Each(ids[0]));
  EXPECT_NE(ids[0], "");
  lease_context.TryCancel();
}

TEST_F(ServiceTest, AWrongSecretMayNothing) {
  grpc::ClientContext lease_context;
  v1::LeaseEvent::Opened lease = Open(&lease_context);
  lease.set_lease_secret("guessed");
  v1::SpawnRequest spawn;
  Own(lease, &spawn);
  grpc::ClientContext context;
  v1::SpawnResponse response;
  EXPECT_EQ(stub_->Spawn(&context, spawn, &response).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  lease_context.TryCancel();
}

TEST_F(ServiceTest, SpawnWithoutALeaseIsNotFound) {
  grpc::ClientContext context;
  v1::SpawnRequest request;
  request.mutable_authority()->set_lease_id("nonesuch");
  v1::SpawnResponse response;
  EXPECT_EQ(stub_->Spawn(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServiceTest, ACancelledCollectionCanBeTakenUpAgain) {
  grpc::ClientContext lease_context;
  const v1::LeaseEvent::Opened lease = Open(&lease_context);
  v1::SpawnRequest spawn;
  Own(lease, &spawn);
  spawn.mutable_spec()->set_num_workers(8);
  grpc::ClientContext spawn_context;
  v1::SpawnResponse pool;
  ASSERT_TRUE(stub_->Spawn(&spawn_context, spawn, &pool).ok());
  v1::StopAndCollectRequest collect;
  Own(lease, &collect);
  collect.set_pool_id(pool.pool_id());
  uint32_t next = 0;
  {
    grpc::ClientContext context;
    const auto reader = stub_->StopAndCollect(&context, collect);
    v1::StopAndCollectResponse item;
    for (; next < 3; ++next) {
      ASSERT_TRUE(reader->Read(&item));
      EXPECT_EQ(item.report().worker_index(), next);
    }
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  collect.set_from_worker(next);
  grpc::ClientContext context;
  const auto reader = stub_->StopAndCollect(&context, collect);
  v1::StopAndCollectResponse item;
  for (; next < 8; ++next) {
    ASSERT_TRUE(reader->Read(&item));
    EXPECT_EQ(item.report().worker_index(), next);
  }
  ASSERT_TRUE(reader->Read(&item));
  EXPECT_EQ(item.summary().workers(), 8u);
  EXPECT_FALSE(reader->Read(&item));
  EXPECT_TRUE(reader->Finish().ok());
  lease_context.TryCancel();
}

TEST_F(ServiceTest, OnePoolIsListedWithTheSpecThatSpawnAnswered) {
  const WorkloadHandle first = MustSpawn(Spec("num_workers: 2 gap_threshold { seconds: 1 } work { pipe_io {} }"));
  const WorkloadHandle second = MustSpawn(v1::WorkloadSpec());
  grpc::ClientContext one, all;
  v1::ListPoolsRequest request;
  v1::ListPoolsResponse response;
  request.set_pool_id(first.pool_id());
  const grpc::Status status = stub_->ListPools(&one, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.pools_size(), 1);
  EXPECT_EQ(response.pools(0).pool_id(), first.pool_id());
  EXPECT_EQ(response.pools(0).resolved_spec().DebugString(), first.resolved_spec().DebugString());
  ASSERT_TRUE(stub_->ListPools(&all, {}, &response).ok());
  ASSERT_EQ(response.pools_size(), 2);
  EXPECT_FALSE(response.pools(0).has_resolved_spec()) << "a list of many pools stays small";
}

TEST_F(ServiceTest, APoolThatWasDroppedCannotBeListed) {
  WorkloadHandle handle = MustSpawn(v1::WorkloadSpec());
  v1::ListPoolsRequest request;
  request.set_pool_id(handle.pool_id());
  ASSERT_TRUE(handle.remote().Drop().ok());
  grpc::ClientContext context;
  v1::ListPoolsResponse response;
  EXPECT_EQ(stub_->ListPools(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServiceTest, ADeadlineThatHasPassedIsHonoured) {
  WorkloadHandle handle = MustSpawn(FunctionSpec("ignore", "", "num_workers: 1"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 4096);
  v1::StopAndCollectRequest collect;
  collect.mutable_authority()->set_as_operator(true);
  collect.set_pool_id(handle.pool_id());
  grpc::ClientContext context;
  In(&context, absl::Milliseconds(300));
  const auto reader = stub_->StopAndCollect(&context, collect);
  v1::StopAndCollectResponse item;
  EXPECT_FALSE(reader->Read(&item));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(ServiceTest, WatchPeriodOutOfRangeNamesTheField) {
  v1::WatchRequest request;
  request.set_pool_id("any");
  request.mutable_period()->set_nanos(1);
  grpc::ClientContext context;
  const auto reader = stub_->Watch(&context, request);
  v1::WatchUpdate update;
  EXPECT_FALSE(reader->Read(&update));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::Status details;
  google::rpc::BadRequest bad;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 1);
  ASSERT_TRUE(details.details(0).UnpackTo(&bad));
  EXPECT_EQ(bad.field_violations(0).field(), "period");
}

}  // namespace
}  // namespace muster
