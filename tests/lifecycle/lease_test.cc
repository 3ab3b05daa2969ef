// Leases: what a client holds while it is alive, and what happens to it afterwards.
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include "client/cgroup_manager.h"
#include "client/operator.h"
#include "muster/v1/muster.grpc.pb.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

// A lease held by a plain stub, so that its stream can be cut at will.
class RawLease {
 public:
  RawLease(v1::Muster::Stub* stub, const v1::OpenLeaseRequest& request) : stream_(stub->OpenLease(&context_, request)) {
    v1::LeaseEvent event;
    if (stream_->Read(&event)) opened = event.opened();
  }
  ~RawLease() { Cut(); }

  void Cut() {
    if (stream_ == nullptr) return;
    context_.TryCancel();
    status = stream_->Finish();
    stream_.reset();
  }

  // The stream has ended by itself.
  grpc::Status Finish() {
    v1::LeaseEvent event;
    while (stream_->Read(&event)) {
    }
    status = stream_->Finish();
    stream_.reset();
    return status;
  }

  v1::LeaseEvent Next() {
    v1::LeaseEvent event;
    EXPECT_TRUE(stream_->Read(&event));
    return event;
  }

  v1::LeaseEvent::Opened opened;
  grpc::Status status;

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::LeaseEvent>> stream_;
};

class LeaseTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    channel_ = grpc::CreateChannel(daemon_->address(), grpc::InsecureChannelCredentials());
    stub_ = v1::Muster::NewStub(channel_);
  }

  static v1::OpenLeaseRequest WithGrace(absl::Duration grace) {
    v1::OpenLeaseRequest request;
    request.mutable_grace()->set_seconds(absl::ToInt64Seconds(grace));
    request.mutable_grace()->set_nanos(absl::ToInt64Nanoseconds(grace % absl::Seconds(1)));
    return request;
  }

  static v1::OpenLeaseRequest Reattach(const v1::LeaseEvent::Opened& lease) {
    v1::OpenLeaseRequest request;
    request.set_lease_id(lease.lease_id());
    request.set_lease_secret(lease.lease_secret());
    return request;
  }

  std::string SpawnFor(const v1::LeaseEvent::Opened& lease, bool detached = false, const std::string& spec = "") {
    v1::SpawnRequest request;
    request.mutable_authority()->set_lease_id(lease.lease_id());
    request.mutable_authority()->set_lease_secret(lease.lease_secret());
    request.set_detached(detached);
    *request.mutable_spec() = Spec(spec);
    grpc::ClientContext context;
    v1::SpawnResponse response;
    const grpc::Status status = stub_->Spawn(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.pool_id();
  }

  std::vector<std::string> PoolIds() {
    grpc::ClientContext context;
    v1::ListPoolsResponse response;
    EXPECT_TRUE(stub_->ListPools(&context, {}, &response).ok());
    std::vector<std::string> ids;
    for (const auto& pool : response.pools()) ids.push_back(pool.pool_id());
    return ids;
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Muster::Stub> stub_;
};

TEST_F(LeaseTest, OpenedSaysTtlAndGrace) {
  RawLease lease(stub_.get(), WithGrace(absl::Seconds(3)));
  EXPECT_NE(lease.opened.lease_id(), "");
  EXPECT_GE(lease.opened.lease_secret().size(), 16u);
  EXPECT_GT(lease.opened.ttl().seconds(), 0);
  EXPECT_EQ(lease.opened.grace().seconds(), 3);
  EXPECT_FALSE(lease.opened.reattached());
}

TEST_F(LeaseTest, ReattachWithinTheGraceTimeKeepsEverything) {
  RawLease first(stub_.get(), WithGrace(absl::Seconds(5)));
  const std::string pool = SpawnFor(first.opened);
  first.Cut();
  RawLease second(stub_.get(), Reattach(first.opened));
  EXPECT_TRUE(second.opened.reattached());
  EXPECT_EQ(second.opened.lease_id(), first.opened.lease_id());
  EXPECT_THAT(PoolIds(), testing::ElementsAre(pool));
}

TEST_F(LeaseTest, ReattachWithAWrongSecretIsDeniedAndHarmsNothing) {
  RawLease first(stub_.get(), WithGrace(absl::Seconds(5)));
  const std::string pool = SpawnFor(first.opened);
  v1::OpenLeaseRequest wrong = Reattach(first.opened);
  wrong.set_lease_secret("guessed");
  RawLease second(stub_.get(), wrong);
  EXPECT_EQ(second.Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(PoolIds(), testing::ElementsAre(pool));
}

TEST_F(LeaseTest, ABrokenLeaseEndsAfterItsGraceTime) {
  RawLease lease(stub_.get(), WithGrace(absl::Milliseconds(100)));
  SpawnFor(lease.opened, false, "num_workers: 3 cgroup: 'mine' cgroups { name: 'mine' }");
  lease.Cut();
  const absl::Status idle = daemon_->WaitUntilIdle(Deadline::After(absl::Seconds(2) + absl::Milliseconds(100)));
  EXPECT_TRUE(idle.ok()) << idle;
  RawLease late(stub_.get(), Reattach(lease.opened));
  EXPECT_EQ(late.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(LeaseTest, EndLeaseRemovesAllAtOnceAndIsNotFoundTheSecondTime) {
  RawLease lease(stub_.get(), WithGrace(absl::Milliseconds(200)));
  SpawnFor(lease.opened);
  SpawnFor(lease.opened);
  v1::EndLeaseRequest request;
  request.set_lease_id(lease.opened.lease_id());
  request.set_lease_secret(lease.opened.lease_secret());
  v1::EndLeaseResponse response;
  grpc::ClientContext first, second;
  ASSERT_TRUE(stub_->EndLease(&first, request, &response).ok());
  EXPECT_EQ(response.pools_dropped(), 2u);
  EXPECT_TRUE(PoolIds().empty());
  EXPECT_EQ(stub_->EndLease(&second, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(LeaseTest, DetachedPoolsOutliveTheLeaseUntilDropped) {
  std::string pool;
  {
    RawLease lease(stub_.get(), WithGrace(absl::Milliseconds(1)));
    pool = SpawnFor(lease.opened, true);
    SpawnFor(lease.opened, false);
    v1::EndLeaseRequest request;
    request.set_lease_id(lease.opened.lease_id());
    request.set_lease_secret(lease.opened.lease_secret());
    v1::EndLeaseResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(stub_->EndLease(&context, request, &response).ok());
    EXPECT_EQ(response.pools_dropped(), 1u);
  }
  EXPECT_THAT(PoolIds(), testing::ElementsAre(pool));
  const absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  EXPECT_EQ(*other->Pool(pool).Drop(), true);
}

TEST_F(LeaseTest, ADetachedPoolIsNotPutWhereItWouldEndWithALease) {
  CgroupManager cgroups(*client_);
  v1::CgroupSpec kept, passing;
  kept.set_name("kept");
  passing.set_name("passing");
  ASSERT_TRUE(cgroups.Create(kept, CgroupLifetime::kKept).ok());
  ASSERT_TRUE(cgroups.Create(passing).ok());
  v1::WorkloadSpec spec;
  spec.set_cgroup("passing");
  EXPECT_TRUE(absl::IsFailedPrecondition(client_->Spawn(spec, {.detached = true}).status()));
  EXPECT_TRUE(client_->Spawn(spec).ok()) << "one that goes with the lease may be there";
  spec.set_cgroup("kept");
  absl::StatusOr<WorkloadHandle> pool = client_->Spawn(spec, {.detached = true});
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_TRUE(absl::IsFailedPrecondition(pool->Place("passing")));
  EXPECT_TRUE(pool->Place("kept").ok());
  EXPECT_TRUE((*std::move(pool)).Drop().ok());
  EXPECT_TRUE(cgroups.Remove("kept").ok());
}

TEST_F(LeaseTest, KeptCgroupsOutliveTheLeaseAndOthersDoNot) {
  {
    absl::StatusOr<Client> other = Client::Connect(daemon_->address());
    ASSERT_TRUE(other.ok());
    CgroupManager cgroups(*other);
    v1::CgroupSpec kept, passing;
    kept.set_name("kept");
    passing.set_name("passing");
    ASSERT_TRUE(cgroups.Create(kept, CgroupLifetime::kKept).ok());
    ASSERT_TRUE(cgroups.Create(passing).ok());
  }
  EXPECT_TRUE(WaitUntilGone(daemon_->CgroupPath("passing"), Deadline::After(kPatience)));
  EXPECT_EQ(access(daemon_->CgroupPath("kept").c_str(), F_OK), 0);
  CgroupManager mine(*client_);
  EXPECT_TRUE(mine.Remove("kept").ok()) << "a kept cgroup that has outlived its leases is anybody's";
  EXPECT_TRUE(absl::IsNotFound(mine.Remove("kept")));
}

TEST_F(LeaseTest, TheStreamTellsOfADeathThatNobodyAskedFor) {
  RawLease lease(stub_.get(), WithGrace(absl::Milliseconds(200)));
  const std::string pool = SpawnFor(lease.opened, false, "num_workers: 3");
  const absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  ASSERT_TRUE(other->Pool(pool).Start().ok());
  const pid_t host = other->ListPools()->pools(0).pool_host_pid();
  // Any worker will do: the pool host's children.
  for (pid_t pid : daemon_->WorkerProcesses()) {
    if (pid != host && daemon_->WorkerProcessesWith("--janitor").front() != pid) {
      ASSERT_EQ(kill(pid, SIGKILL), 0);
      break;
    }
  }
  const v1::LeaseEvent event = lease.Next();
  ASSERT_TRUE(event.has_worker_died()) << event.ShortDebugString();
  EXPECT_EQ(event.worker_died().pool_id(), pool);
  EXPECT_EQ(event.worker_died().exit_info().signaled().signal(), SIGKILL);
}

TEST_F(LeaseTest, ReportsStayForASecondClientWithTheSecretUntilConfirmed) {
  RawLease lease(stub_.get(), WithGrace(absl::Milliseconds(200)));
  const std::string pool = SpawnFor(lease.opened, false, "num_workers: 2");
  v1::StopAndCollectRequest request;
  request.mutable_authority()->set_lease_id(lease.opened.lease_id());
  request.mutable_authority()->set_lease_secret(lease.opened.lease_secret());
  request.set_pool_id(pool);
  for (int round = 0; round < 2; ++round) {
    const auto channel = grpc::CreateChannel(daemon_->address(), grpc::InsecureChannelCredentials());
    const auto stub = v1::Muster::NewStub(channel);
    grpc::ClientContext context;
    const auto reader = stub->StopAndCollect(&context, request);
    v1::StopAndCollectResponse item;
    int reports = 0;
    while (reader->Read(&item)) reports += item.has_report();
    EXPECT_TRUE(reader->Finish().ok());
    EXPECT_EQ(reports, 2);
  }
}

}  // namespace
}  // namespace muster
