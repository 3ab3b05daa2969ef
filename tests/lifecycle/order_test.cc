// Calls in every order: the documented answer, never a crash.
#include <sched.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "client/operator.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

using OrderTest = LiveTest;

TEST_F(OrderTest, StartTwiceIsStartOnce) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2"));
  WorkloadHandle* const handles[] = {&handle};
  const absl::StatusOr<v1::StartResponse> first = WorkloadHandle::StartAll(handles);
  const absl::StatusOr<v1::StartResponse> second = WorkloadHandle::StartAll(handles);
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  EXPECT_FALSE(first->pools(0).already_started());
  EXPECT_TRUE(second->pools(0).already_started());
  EXPECT_EQ(first->pools(0).released_at_ns(), second->pools(0).released_at_ns());
}

TEST_F(OrderTest, TwoPoolsAreReleasedByOneCall) {
  WorkloadHandle one = MustSpawn(Spec("num_workers: 2"));
  WorkloadHandle two = MustSpawn(Spec("num_workers: 2"));
  WorkloadHandle* const handles[] = {&one, &two};
  const absl::StatusOr<v1::StartResponse> started = WorkloadHandle::StartAll(handles);
  ASSERT_TRUE(started.ok()) << started.status();
  ASSERT_EQ(started->pools_size(), 2);
  EXPECT_EQ(started->pools(0).released_at_ns(), started->pools(1).released_at_ns());
  WaitForProgress(one, 1);
  WaitForProgress(two, 1);
}

TEST_F(OrderTest, CollectWithoutStartStartsFirstAndStillWorks) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2"));
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 2u);
  for (const v1::WorkerReport& report : collected.reports) {
    EXPECT_FALSE(report.has_exit_info());
    EXPECT_GT(report.released_at_ns(), 0u);
  }
}

TEST_F(OrderTest, CollectTwiceGivesTheSameReportsUntilConfirmed) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 3"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  ASSERT_TRUE(other.ok()) << other.status();
  const RemotePool pool = other->Pool(handle.pool_id());
  std::vector<std::string> first, second;
  ASSERT_TRUE(pool.Collect({}, [&](v1::WorkerReport&& report) { first.push_back(report.SerializeAsString()); }).ok());
  ASSERT_TRUE(pool.Collect({}, [&](v1::WorkerReport&& report) { second.push_back(report.SerializeAsString()); }).ok());
  EXPECT_EQ(first.size(), 3u);
  ASSERT_EQ(second.size(), 3u);
  for (size_t i = 0; i < first.size(); ++i) {
    v1::WorkerReport a, b;
    a.ParseFromString(first[i]);
    b.ParseFromString(second[i]);
    EXPECT_EQ(a.ShortDebugString(), b.ShortDebugString());
  }
  EXPECT_TRUE(pool.Confirm().ok());
  EXPECT_TRUE(pool.Confirm().ok()) << "confirming again succeeds";
  EXPECT_TRUE(absl::IsNotFound(pool.Collect({}, [](v1::WorkerReport&&) {}).status()));
}

TEST_F(OrderTest, ConfirmBeforeCollectIsRefused) {
  WorkloadHandle handle = MustSpawn(Spec(""));
  absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  const absl::Status confirmed = other->Pool(handle.pool_id()).Confirm();
  EXPECT_TRUE(absl::IsFailedPrecondition(confirmed)) << confirmed;
}

TEST_F(OrderTest, StartAfterCollectIsRefused) {
  WorkloadHandle handle = MustSpawn(Spec(""));
  absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  const RemotePool pool = other->Pool(handle.pool_id());
  ASSERT_TRUE(pool.Collect({}, [](v1::WorkerReport&&) {}).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(pool.Start()));
}

TEST_F(OrderTest, DropTwiceSucceedsAndSaysThereWasNone) {
  WorkloadHandle handle = MustSpawn(Spec(""));
  absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  const RemotePool pool = other->Pool(handle.pool_id());
  EXPECT_EQ(*pool.Drop(), true);
  EXPECT_EQ(*pool.Drop(), false);
  EXPECT_TRUE(absl::IsNotFound(pool.Start()));
  EXPECT_TRUE(absl::IsNotFound(pool.Snapshot().status()));
}

TEST_F(OrderTest, SnapshotBeforeStartIsAllZerosAndBlocked) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 3"));
  const absl::StatusOr<v1::SnapshotResponse> snapshot = handle.Snapshot();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_THAT(snapshot->iterations(), testing::ElementsAre(0, 0, 0));
  EXPECT_THAT(snapshot->work_units(), testing::ElementsAre(0, 0, 0));
  EXPECT_THAT(snapshot->states(), testing::Each(v1::BLOCKED));
}

TEST_F(OrderTest, CallsOnAPoolThatNeverWasAreNotFound) {
  absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  const RemotePool pool = other->Pool("nonesuch");
  EXPECT_TRUE(absl::IsNotFound(pool.Start()));
  EXPECT_TRUE(absl::IsNotFound(pool.Snapshot().status()));
  EXPECT_TRUE(absl::IsNotFound(pool.Collect({}, [](v1::WorkerReport&&) {}).status()));
  EXPECT_EQ(*pool.Drop(), false);
}

TEST_F(OrderTest, DroppingAHandleLeavesNoProcess) {
  {
    WorkloadHandle handle = MustSpawn(Spec("num_workers: 5"));
    ASSERT_TRUE(handle.Start().ok());
    EXPECT_GE(daemon_->WorkerProcesses().size(), 6u);
  }
  const absl::Status idle = daemon_->WaitUntilIdle(Deadline::After(absl::Seconds(2)));
  EXPECT_TRUE(idle.ok()) << idle;
}

// The answer does not wait for it.
TEST_F(OrderTest, TheMemoryOfADroppedPoolIsGivenBack) {
  const auto has_arena = [this] {
    return absl::StrContains(ReadFile(absl::StrCat("/proc/", daemon_->pid(), "/maps")).value_or(""), "muster-arena");
  };
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 5"));
  EXPECT_TRUE(has_arena());
  EXPECT_TRUE(std::move(handle).Drop().ok());
  const Deadline deadline = Deadline::After(absl::Seconds(20));
  while (has_arena() && !deadline.Expired()) sched_yield();
  EXPECT_FALSE(has_arena());
}

}  // namespace
}  // namespace muster
