#include "client/workload_handle.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "absl/strings/match.h"
#include "client/client.h"
#include "tests/support/fake_muster.h"

namespace muster {
namespace {

class WorkloadHandleTest : public testing::Test {
 protected:
  WorkloadHandleTest() : client_(*Client::Connect(fake_.address())) {}

  WorkloadHandle Spawn(v1::WorkloadSpec spec) {
    absl::StatusOr<WorkloadHandle> handle = client_.Spawn(spec);
    EXPECT_TRUE(handle.ok()) << handle.status();
    return *std::move(handle);
  }

  WorkloadHandle SpawnWorkers(uint32_t workers) {
    v1::WorkloadSpec spec;
    spec.set_num_workers(workers);
    return Spawn(spec);
  }

  FakeMuster fake_;
  Client client_;
};

TEST_F(WorkloadHandleTest, EndOfTheHandleDropsThePool) {
  { const WorkloadHandle handle = SpawnWorkers(1); }
  EXPECT_EQ(fake_.Count("Drop p1"), 1);
}

TEST_F(WorkloadHandleTest, MovedFromHandleOwnsNothing) {
  std::optional<WorkloadHandle> first = SpawnWorkers(1);
  const WorkloadHandle second = *std::move(first);
  first.reset();
  EXPECT_EQ(fake_.Count("Drop p1"), 0);
}

TEST_F(WorkloadHandleTest, AssignmentDropsWhatWasThere) {
  WorkloadHandle handle = SpawnWorkers(1);
  handle = SpawnWorkers(1);
  EXPECT_EQ(fake_.Pools(), std::vector<std::string>{"p2"});
}

TEST_F(WorkloadHandleTest, CollectingConfirmsAndUsesTheHandleUp) {
  WorkloadHandle handle = SpawnWorkers(3);
  const absl::StatusOr<CollectedReports> collected = std::move(handle).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_EQ(collected->reports.size(), 3u);
  EXPECT_EQ(collected->summary.workers(), 3u);
  EXPECT_EQ(fake_.Count("ConfirmReports p1"), 1);
  EXPECT_EQ(fake_.Count("Drop p1"), 0);
}

TEST_F(WorkloadHandleTest, StreamingCollectionHandsOverOneAtATime) {
  WorkloadHandle handle = SpawnWorkers(3);
  std::vector<uint32_t> indexes;
  const auto summary =
      std::move(handle).StopAndCollect([&](v1::WorkerReport&& report) { indexes.push_back(report.worker_index()); });
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(indexes, (std::vector<uint32_t>{0, 1, 2}));
}

TEST_F(WorkloadHandleTest, CollectionSurvivesABreakInTheMiddle) {
  WorkloadHandle handle = SpawnWorkers(8);
  fake_.BreakAfterReports(5);
  const absl::StatusOr<CollectedReports> collected = std::move(handle).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_EQ(collected->reports.size(), 8u);
}

TEST_F(WorkloadHandleTest, FailedCollectionDropsThePool) {
  WorkloadHandle handle = SpawnWorkers(1);
  fake_.FailNext("StopAndCollect", grpc::Status(grpc::StatusCode::INTERNAL, "oops"));
  EXPECT_FALSE(std::move(handle).StopAndCollect().ok());
  EXPECT_EQ(fake_.Count("Drop p1"), 1);
}

TEST_F(WorkloadHandleTest, ReportsOutliveAFailedConfirmation) {
  WorkloadHandle handle = SpawnWorkers(2);
  fake_.FailNext("ConfirmReports", grpc::Status(grpc::StatusCode::INTERNAL, "oops"));
  EXPECT_EQ(std::move(handle).StopAndCollect()->reports.size(), 2u);
  EXPECT_EQ(fake_.Count("Drop p1"), 1);
}

TEST_F(WorkloadHandleTest, ReleasedPoolIsNotDropped) {
  EXPECT_EQ(SpawnWorkers(1).Release(), "p1");
  EXPECT_EQ(fake_.Count("Drop p1"), 0);
}

// Detached pools outlive the lease that made them.
class DetachedHandleTest : public WorkloadHandleTest {
 protected:
  WorkloadHandle SpawnDetached() {
    v1::WorkloadSpec spec;
    spec.set_num_workers(2);
    absl::StatusOr<WorkloadHandle> handle = client_.Spawn(spec, {.detached = true});
    EXPECT_TRUE(handle.ok()) << handle.status();
    return *std::move(handle);
  }

  void LoseTheLease() {
    fake_.ForgetLeases();
    const Deadline deadline = Deadline::After(absl::Seconds(20));
    while (client_.lease_status().ok() && !deadline.Expired()) std::this_thread::yield();
    ASSERT_FALSE(client_.lease_status().ok());
  }
};

TEST_F(DetachedHandleTest, HandleDropsThePoolThatOutlivedTheLease) {
  std::optional<WorkloadHandle> handle = SpawnDetached();
  LoseTheLease();
  handle.reset();
  EXPECT_EQ(fake_.Count("Drop p1"), 1);
}

TEST_F(DetachedHandleTest, PoolThatOutlivedTheLeaseIsStartedAndCollected) {
  WorkloadHandle handle = SpawnDetached();
  WorkloadHandle moved = SpawnDetached();
  moved = std::move(handle);
  LoseTheLease();
  EXPECT_EQ(moved.Start(), absl::OkStatus());
  EXPECT_EQ(WorkloadHandle::StartAll({&moved}).status(), absl::OkStatus());
  const absl::StatusOr<CollectedReports> collected = std::move(moved).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_EQ(collected->reports.size(), 2u);
}

TEST_F(DetachedHandleTest, OtherPoolsWentWithTheLease) {
  std::optional<WorkloadHandle> handle = SpawnWorkers(1);
  LoseTheLease();
  EXPECT_FALSE(handle->Start().ok());
  EXPECT_FALSE(WorkloadHandle::StartAll({&*handle}).ok());
  handle.reset();
  EXPECT_EQ(fake_.Count("Drop p1"), 0);
}

TEST_F(WorkloadHandleTest, DropTellsWhetherItWorked) {
  fake_.FailNext("Drop", grpc::Status(grpc::StatusCode::INTERNAL, "stuck"));
  EXPECT_EQ(SpawnWorkers(1).Drop(), absl::InternalError("drop of pool p1: stuck"));
}

TEST_F(WorkloadHandleTest, ForkWorkersAreNamedByTheirProcesses) {
  const WorkloadHandle handle = SpawnWorkers(2);
  EXPECT_EQ(handle.WorkerPids(), (std::vector<pid_t>{1000, 1001}));
  EXPECT_EQ(*handle.WorkerPidsForCgroupProcs(), handle.WorkerPids());
}

TEST_F(WorkloadHandleTest, ThreadWorkersAreRefusedForCgroupProcsWithTheWayOut) {
  v1::WorkloadSpec spec;
  spec.set_num_workers(2);
  spec.set_clone_mode(v1::THREAD);
  const WorkloadHandle handle = Spawn(spec);
  EXPECT_EQ(handle.WorkerPids(), (std::vector<pid_t>{1000, 1001}));
  const absl::Status status = handle.WorkerPidsForCgroupProcs().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "PlaceThreads")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "cgroup.threads")) << status;
}

TEST_F(WorkloadHandleTest, PcommPoolIsOneProcessAndMayGoThroughCgroupProcs) {
  v1::WorkloadSpec spec;
  spec.set_num_workers(3);
  spec.mutable_pcomm()->set_name("server");
  const WorkloadHandle handle = Spawn(spec);
  EXPECT_EQ(*handle.WorkerPidsForCgroupProcs(), std::vector<pid_t>{1000});
}

TEST_F(WorkloadHandleTest, PlaceNamesTheCgroupAndTheWorkers) {
  WorkloadHandle handle = SpawnWorkers(4);
  ASSERT_TRUE(handle.Place("cg0", {1, 3}).ok());
  const v1::PlaceRequest request = fake_.last_place();
  EXPECT_EQ(request.cgroup(), "cg0");
  EXPECT_EQ(request.pool_id(), "p1");
  ASSERT_EQ(request.workers_size(), 2);
  EXPECT_EQ(request.workers(1), 3u);
  ASSERT_TRUE(handle.PlaceThreads("cg0/t").ok());
  EXPECT_EQ(fake_.last_place().unit(), v1::THREAD_UNIT);
}

TEST_F(WorkloadHandleTest, PlaceIsAnErrorWhenOneWorkerDidNotArrive) {
  WorkloadHandle handle = SpawnWorkers(6);
  v1::PlaceResponse response;
  for (int i = 0; i < 6; ++i) {
    v1::PlaceOutcome* outcome = response.add_outcomes();
    outcome->set_worker_index(i);
    if (i > 0) outcome->set_error("ESRCH");
  }
  fake_.SetPlaceResponse(response);
  const absl::Status status = handle.Place("cg0");
  EXPECT_EQ(status.message(),
            "placement of pool p1 in cg0: 5 of 6 workers failed; worker 1: ESRCH; worker 2: ESRCH; worker 3: ESRCH; "
            "worker 4: ESRCH; and 1 more");
}

TEST_F(WorkloadHandleTest, AffinityIsCheckedBeforeItIsSent) {
  WorkloadHandle handle = SpawnWorkers(2);
  EXPECT_EQ(handle.SetAffinity(2, *CpuSet::Parse("0")).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(handle.SetAffinity(0, CpuSet()).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(fake_.Count("Place p1"), 0);
  ASSERT_TRUE(handle.SetAffinity(1, *CpuSet::Parse("0-1")).ok());
  EXPECT_EQ(fake_.last_place().cpus(), "0-1");
  EXPECT_EQ(fake_.last_place().workers(0), 1u);
}

TEST_F(WorkloadHandleTest, StartAllReleasesAllPoolsWithOneCall) {
  WorkloadHandle one = SpawnWorkers(1);
  WorkloadHandle two = SpawnWorkers(1);
  const absl::StatusOr<v1::StartResponse> response = WorkloadHandle::StartAll({&one, &two});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->pools_size(), 2);
  EXPECT_EQ(fake_.Count("Start p1,p2"), 1);
}

TEST_F(WorkloadHandleTest, StartAllOfNothingAndOfStrangersIsRefused) {
  Client other = *Client::Connect(fake_.address());
  WorkloadHandle one = SpawnWorkers(1);
  absl::StatusOr<WorkloadHandle> two = other.Spawn(v1::WorkloadSpec());
  EXPECT_EQ(WorkloadHandle::StartAll({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WorkloadHandle::StartAll({&one, &*two}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(WorkloadHandleTest, SnapshotHasEachWorkersIterations) {
  const WorkloadHandle handle = SpawnWorkers(3);
  EXPECT_EQ(*handle.SnapshotIterations(), (std::vector<uint64_t>{10, 11, 12}));
}

TEST_F(WorkloadHandleTest, WatchEndsWhenTheCallbackHasEnough) {
  const WorkloadHandle handle = SpawnWorkers(1);
  fake_.SetWatchUpdates({v1::WatchUpdate(), v1::WatchUpdate(), v1::WatchUpdate()});
  int seen = 0;
  const auto enough = [&](const v1::WatchUpdate&) { return ++seen < 2; };
  EXPECT_TRUE(handle.Watch(absl::Milliseconds(10), enough, CallOptions()).ok());
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace muster
