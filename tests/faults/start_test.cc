// A worker that cannot move holds nobody back, and control stays above load.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/file_io.h"
#include "base/test_run.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

// Worker 0 is at the root of the wake tree when all groups are of one class.
using StartTest = LiveTest;

TEST_F(StartTest, WorkerZeroKilledHoldsNobodyBack) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 7"));
  ASSERT_EQ(kill(handle.workers()[0].pid(), SIGKILL), 0);
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1, {0});
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 7u);
  EXPECT_EQ(collected.reports[0].exit_info().signaled().signal(), SIGKILL);
  EXPECT_EQ(collected.summary.sentinels(), 1u);
}

TEST_F(StartTest, WorkerZeroStoppedHoldsNobodyBack) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 7"));
  ASSERT_EQ(kill(handle.workers()[0].pid(), SIGSTOP), 0);
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1, {0});
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 7u);
  EXPECT_TRUE(collected.reports[0].exit_info().has_timed_out());
  EXPECT_EQ(collected.summary.sentinels(), 1u);
}

TEST_F(StartTest, WorkerZeroFrozenHoldsNobodyBack) {
  WorkloadHandle handle = MustSpawn(Spec(R"(
      num_workers: 1 cgroup: 'ice' composed { num_workers: 6 work { spin_wait {} } }
      cgroups { name: 'ice' })"));
  ASSERT_TRUE(WriteFileAt(AT_FDCWD, daemon_->CgroupPath("ice/cgroup.freeze"), "1").ok());
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1, {0});
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 7u);
  EXPECT_TRUE(collected.reports[0].has_exit_info());
  EXPECT_EQ(collected.summary.sentinels(), 1u);
}

// One CPU is kept free of real-time work on a test machine; a guest has the case of all CPUs.
TEST_F(StartTest, ControlAnswersWithinTwoSecondsAboveFifoAndIdleSpinners) {
  // A sanitizer's own work is some ten times the daemon's.
  constexpr absl::Duration kBound = kUnderSanitizer ? absl::Seconds(20) : absl::Seconds(2);
  WorkloadHandle handle = MustSpawn(Spec(R"(
      num_workers: 2 affinity { exact { cpus: '1' } } sched_policy { fifo { priority: 50 } }
      composed { num_workers: 4 work { spin_wait {} } sched_policy { idle {} } }
      composed { num_workers: 4 work { spin_wait {} } })"));
  ASSERT_TRUE(handle.Start({.timeout = kBound}).ok());
  for (int i = 0; i < 20; ++i) {
    const absl::StatusOr<v1::SnapshotResponse> snapshot = handle.Snapshot({.timeout = kBound});
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  }
  // Of the two of FIFO one has its CPU for itself, and nobody says which.
  WaitForProgress(handle, 1, {0, 1, 2, 3, 4, 5});
  const uint64_t began = MonotonicNs();
  const absl::StatusOr<CollectedReports> collected = std::move(handle).StopAndCollect({.call = {.timeout = kBound}});
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_LE(absl::Nanoseconds(MonotonicNs() - began), kBound);
  EXPECT_GT(collected->reports[0].iterations() + collected->reports[1].iterations(), 0u);
  EXPECT_EQ(collected->reports[0].effective_policy(), "SCHED_FIFO 50");
  EXPECT_EQ(collected->reports[2].effective_policy(), "SCHED_IDLE nice 0");

  WorkloadHandle dropped = MustSpawn(Spec(R"(
      num_workers: 2 affinity { exact { cpus: '1' } } sched_policy { fifo { priority: 50 } })"));
  ASSERT_TRUE(dropped.Start({.timeout = kBound}).ok());
  EXPECT_TRUE(std::move(dropped).Drop({.timeout = kBound}).ok());
}

TEST_F(StartTest, ControlRunsAboveEveryWorker) {
  const absl::StatusOr<v1::GetServerInfoResponse> info = client_->ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->control_policy(), "SCHED_FIFO 99");
  WorkloadHandle handle = MustSpawn(Spec(""));
  EXPECT_EQ(sched_getscheduler(daemon_->pid()), SCHED_FIFO);
  for (pid_t pid : daemon_->WorkerProcesses()) {
    const bool is_worker = pid == handle.workers()[0].pid();
    EXPECT_EQ(sched_getscheduler(pid) & ~SCHED_RESET_ON_FORK, is_worker ? SCHED_OTHER : SCHED_FIFO) << pid;
  }
}

}  // namespace
}  // namespace muster
