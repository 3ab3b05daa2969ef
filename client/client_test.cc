#include "client/client.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "client/cgroup_manager.h"
#include "tests/support/fake_muster.h"

namespace muster {
namespace {

TEST(ClientTest, ConnectingOpensALeaseAndTheLastOwnerEndsIt) {
  FakeMuster fake;
  {
    absl::StatusOr<Client> client = Client::Connect(fake.address());
    ASSERT_TRUE(client.ok()) << client.status();
    EXPECT_TRUE(client->lease_status().ok());
  }
  EXPECT_EQ(fake.Count("EndLease l1"), 1);
}

TEST(ClientTest, HandleKeepsTheLeaseOfAClientThatIsGone) {
  FakeMuster fake;
  absl::StatusOr<WorkloadHandle> handle = Client::Connect(fake.address())->Spawn(v1::WorkloadSpec());
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_EQ(fake.Count("EndLease l1"), 0);
  EXPECT_TRUE(handle->Start().ok());
}

TEST(ClientTest, EachSpawnHasItsOwnRequestIdAndTheLeasesName) {
  FakeMuster fake;
  absl::StatusOr<Client> client = Client::Connect(fake.address());
  absl::StatusOr<WorkloadHandle> one = client->Spawn(v1::WorkloadSpec());
  const v1::SpawnRequest first = fake.last_spawn();
  absl::StatusOr<WorkloadHandle> two = client->Spawn(v1::WorkloadSpec(), {.detached = true});
  const v1::SpawnRequest second = fake.last_spawn();
  EXPECT_EQ(first.request_id().size(), 32u);
  EXPECT_NE(first.request_id(), second.request_id());
  EXPECT_EQ(first.authority().lease_secret(), "secret");
  EXPECT_FALSE(first.detached());
  EXPECT_TRUE(second.detached());
}

TEST(ClientTest, LostAnswerOfSpawnMakesNoSecondPool) {
  FakeMuster fake;
  absl::StatusOr<Client> client = Client::Connect(fake.address());
  fake.BreakInsteadOfAnswering("Spawn");
  absl::StatusOr<WorkloadHandle> handle = client->Spawn(v1::WorkloadSpec());
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_EQ(fake.Count("Spawn"), 2);
  EXPECT_EQ(fake.Pools(), std::vector<std::string>{"p1"});
}

TEST(ClientTest, DaemonOfAnotherProtocolIsRefusedWithBothRanges) {
  FakeMuster fake;
  v1::GetServerInfoResponse info;
  info.set_version("9.0");
  info.set_protocol_min(7);
  info.set_protocol_max(8);
  fake.SetServerInfo(info);
  const absl::Status status = Client::Connect(fake.address()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "speaks protocol 7 to 8, this client speaks 1")) << status;
}

TEST(ClientTest, ErrorsSayWhichStepOfConnectingFailed) {
  FakeMuster fake;
  EXPECT_TRUE(absl::StrContains(Client::Connect("smoke signals").status().message(), "write unix:///path"));
  EXPECT_TRUE(absl::StrContains(Client::Connect("unix:///nowhere").status().message(), "connect to unix:///nowhere"));
  fake.FailNext("GetServerInfo", grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "what?"));
  EXPECT_TRUE(absl::StrContains(Client::Connect(fake.address()).status().message(), "asking for its protocol"));
  fake.FailNext("OpenLease", grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "full"));
  EXPECT_TRUE(absl::StrContains(Client::Connect(fake.address()).status().message(), "opening a lease"));
}

TEST(ClientTest, AfterTheLeaseIsLostEveryCallSaysSo) {
  FakeMuster fake;
  absl::StatusOr<Client> client = Client::Connect(fake.address());
  absl::StatusOr<WorkloadHandle> handle = client->Spawn(v1::WorkloadSpec());
  fake.ForgetLeases();
  const Deadline deadline = Deadline::After(absl::Seconds(10));
  while (client->lease_status().ok() && !deadline.Expired()) std::this_thread::yield();
  for (const absl::Status& status : {client->Spawn(v1::WorkloadSpec()).status(), handle->Start(),
                                     CgroupManager(*client).Create(v1::CgroupSpec()).status()}) {
    EXPECT_TRUE(absl::StrContains(status.message(), "the lease was lost")) << status;
  }
}

TEST(ClientTest, RefusedSpecShowsTheDaemonsWords) {
  FakeMuster fake;
  absl::StatusOr<Client> client = Client::Connect(fake.address());
  fake.FailNext("Spawn", grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "num_workers: 0 is not allowed"));
  EXPECT_EQ(client->Spawn(v1::WorkloadSpec()).status(),
            absl::InvalidArgumentError("spawn: num_workers: 0 is not allowed"));
}

}  // namespace
}  // namespace muster
