// Workers that misbehave: the right exit_info within the deadline, neighbours unharmed, nothing left.
#include <sched.h>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/file_io.h"
#include "base/pidfd.h"
#include "client/operator.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

// Worker 1 of 3 misbehaves in each of these.
class MisbehaviourTest : public LiveTest {
 protected:
  CollectedReports RunWithWorkerOne(const std::string& behaviour) {
    WorkloadHandle handle = MustSpawn(FunctionSpec(behaviour, "1", "num_workers: 3"));
    EXPECT_TRUE(handle.Start().ok());
    // Worker 1 misbehaves after 4,096 iterations, and the others go on.
    WaitForIterations(handle, {5000, 4096, 5000});
    CollectedReports collected = MustCollect(std::move(handle));
    EXPECT_EQ(collected.reports.size(), 3u);
    collected.reports.resize(3);
    for (uint32_t i : {0, 2}) {
      EXPECT_FALSE(collected.reports[i].has_exit_info()) << collected.reports[i].ShortDebugString();
      EXPECT_TRUE(collected.reports[i].completed());
      EXPECT_GE(collected.reports[i].iterations(), 5000u);
    }
    return collected;
  }

  // A sentinel: zero counters, its identity, and what it had measured in a field of its own.
  static void ExpectSentinel(const v1::WorkerReport& report, uint32_t worker) {
    EXPECT_EQ(report.worker_index(), worker);
    EXPECT_FALSE(report.completed());
    EXPECT_EQ(report.iterations(), 0u);
    EXPECT_EQ(report.work_units(), 0u);
    EXPECT_TRUE(report.has_exit_info());
  }

  static void ExpectLastRecord(const v1::WorkerReport& report) {
    ASSERT_TRUE(report.has_last_record());
    EXPECT_GE(report.last_record().record().iterations(), 3072u) << "the last checkpoint before the end";
    EXPECT_LE(report.last_record().record().iterations(), 4096u);
    EXPECT_FALSE(report.last_record().record().has_exit_info());
    EXPECT_GT(report.last_record().age_ns(), 0u);
  }
};

TEST_F(MisbehaviourTest, ExitIsExitedWithItsCode) {
  const v1::WorkerReport report = RunWithWorkerOne("exit").reports[1];
  ExpectSentinel(report, 1);
  EXPECT_EQ(report.exit_info().exited().code(), 42);
  ExpectLastRecord(report);
}

TEST_F(MisbehaviourTest, AbortIsSignaledSix) {
  const v1::WorkerReport report = RunWithWorkerOne("abort").reports[1];
  ExpectSentinel(report, 1);
  EXPECT_EQ(report.exit_info().signaled().signal(), SIGABRT);
  ExpectLastRecord(report);
}

TEST_F(MisbehaviourTest, SegfaultIsSignaledEleven) {
  const v1::WorkerReport report = RunWithWorkerOne("segfault").reports[1];
  ExpectSentinel(report, 1);
  EXPECT_EQ(report.exit_info().signaled().signal(), SIGSEGV);
  ExpectLastRecord(report);
}

TEST_F(MisbehaviourTest, SigkillIsSignaledNineAndNotTheOomKiller) {
  const v1::WorkerReport report = RunWithWorkerOne("kill").reports[1];
  ExpectSentinel(report, 1);
  EXPECT_EQ(report.exit_info().signaled().signal(), SIGKILL);
  EXPECT_FALSE(report.exit_info().signaled().oom_killed());
  ExpectLastRecord(report);
}

TEST_F(MisbehaviourTest, SigstopIsTimedOut) {
  const v1::WorkerReport report = RunWithWorkerOne("stop").reports[1];
  ExpectSentinel(report, 1);
  EXPECT_TRUE(report.exit_info().has_timed_out()) << report.exit_info().ShortDebugString();
  EXPECT_FALSE(report.exit_info().timed_out().unreaped());
  ExpectLastRecord(report);
}

TEST_F(MisbehaviourTest, IgnoringTheStopIsTimedOutWithinTheDeadline) {
  WorkloadHandle handle = MustSpawn(FunctionSpec("ignore", "1", "num_workers: 3"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForIterations(handle, {5000, 4096, 5000});
  const uint64_t began = MonotonicNs();
  const CollectedReports collected = MustCollect(std::move(handle));
  const double seconds = (MonotonicNs() - began) / 1e9;
  ASSERT_EQ(collected.reports.size(), 3u);
  ExpectSentinel(collected.reports[1], 1);
  EXPECT_TRUE(collected.reports[1].exit_info().has_timed_out());
  EXPECT_GE(seconds, 4.9) << "the shared deadline is 5 s";
  EXPECT_LE(seconds, 30) << "and it is one for all";
}

TEST_F(MisbehaviourTest, AnExceptionIsPanickedWithItsText) {
  const v1::WorkerReport report = RunWithWorkerOne("throw").reports[1];
  ExpectSentinel(report, 1);
  EXPECT_EQ(report.exit_info().panicked().text(), "a work function threw this");
}

TEST_F(MisbehaviourTest, GarbageOverTheRecordIsASentinelAndNeverBelieved) {
  const v1::WorkerReport report = RunWithWorkerOne("garbage").reports[1];
  ExpectSentinel(report, 1);
  EXPECT_EQ(report.exit_info().exited().code(), 0);
}

TEST_F(MisbehaviourTest, AGrandchildHoldingEverythingDelaysNobodyAndIsSwept) {
  const CollectedReports collected = RunWithWorkerOne("grandchild");
  EXPECT_FALSE(collected.reports[1].has_exit_info()) << "the worker itself behaved";
  const absl::Status idle = daemon_->WaitUntilIdle(Deadline::After(absl::Seconds(5)));
  EXPECT_TRUE(idle.ok()) << idle;
}

TEST_F(MisbehaviourTest, AGrandchildThatLeftTheGroupDoesNotSurviveTheDrop) {
  const CollectedReports collected = RunWithWorkerOne("grandchild_away");
  EXPECT_FALSE(collected.reports[1].has_exit_info());
  const absl::Status idle = daemon_->WaitUntilIdle(Deadline::After(absl::Seconds(5)));
  EXPECT_TRUE(idle.ok()) << idle;
}

TEST_F(MisbehaviourTest, AGrandchildThatLeftTheGroupSurvivesStopAndCollect) {
  WorkloadHandle handle = MustSpawn(FunctionSpec("grandchild_away", "1", "num_workers: 3"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForIterations(handle, {5000, 4096, 5000});
  const absl::StatusOr<v1::PoolSummary> summary = handle.remote().Collect({}, [](v1::WorkerReport&&) {});
  ASSERT_TRUE(summary.ok()) << summary.status();
  const absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  ASSERT_TRUE(other.ok());
  const pid_t host = other->ListPools()->pools(0).pool_host_pid();
  const absl::StatusOr<std::string> children = ReadFile(absl::StrCat("/proc/", host, "/task/", host, "/children"));
  ASSERT_TRUE(children.ok()) << children.status();
  const pid_t grandchild = static_cast<pid_t>(atoi(children->c_str()));
  ASSERT_GT(grandchild, 0) << "the pool host takes in what its workers leave";
  const absl::StatusOr<Pidfd> pidfd = Pidfd::Open(grandchild);
  ASSERT_TRUE(pidfd.ok()) << pidfd.status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(pidfd->WaitEnd(Deadline::After(absl::ZeroDuration())))) << "it lives";
  ASSERT_TRUE(std::move(handle).Drop().ok());
  EXPECT_TRUE(pidfd->WaitEnd(Deadline::After(absl::Seconds(5))).ok()) << "and not after the drop";
}

// All workers are threads of one process, and the reports say so.
class ThreadMisbehaviourTest : public MisbehaviourTest, public testing::WithParamInterface<const char*> {
 protected:
  // Worker 1 has counted its last iteration; as long as it has not misbehaved, its neighbours may still end well.
  static void WaitUntilEndedOrStopped(pid_t process) {
    const Deadline deadline = Deadline::After(kPatience);
    while (!deadline.Expired()) {
      const absl::StatusOr<std::string> stat = ReadFile(absl::StrCat("/proc/", process, "/stat"));
      if (!stat.ok()) return;
      const char state = stat->at(stat->rfind(')') + 2);
      if (state == 'T' || state == 'Z' || state == 'X') return;
      sched_yield();
    }
    ADD_FAILURE() << "process " << process << " runs on";
  }
};

TEST_P(ThreadMisbehaviourTest, NeighboursShareTheFateAndTheReportsSaySo) {
  WorkloadHandle handle = MustSpawn(FunctionSpec(GetParam(), "1", "num_workers: 3 clone_mode: THREAD"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForIterations(handle, {0, 4096, 0});
  WaitUntilEndedOrStopped(handle.workers()[1].pid());
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 3u);
  for (uint32_t i = 0; i < 3; ++i) {
    ExpectSentinel(collected.reports[i], i);
    EXPECT_TRUE(collected.reports[i].exit_info().shared_fate());
  }
}

INSTANTIATE_TEST_SUITE_P(Ends, ThreadMisbehaviourTest, testing::Values("exit", "abort", "segfault", "kill", "stop"));

TEST_F(ThreadMisbehaviourTest, AnExceptionInOneThreadHarmsNoNeighbour) {
  WorkloadHandle handle = MustSpawn(FunctionSpec("throw", "1", "num_workers: 3 clone_mode: THREAD"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForIterations(handle, {5000, 4096, 5000});
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 3u);
  EXPECT_TRUE(collected.reports[0].completed());
  EXPECT_TRUE(collected.reports[2].completed());
  EXPECT_EQ(collected.reports[1].exit_info().panicked().text(), "a work function threw this");
}

// The pool host itself.
class PoolHostFaultTest : public MisbehaviourTest {
 protected:
  void ExpectAllSentinelsAfter(int signal_number, const std::string& behaviour) {
    WorkloadHandle handle = MustSpawn(FunctionSpec(behaviour, "1", "num_workers: 3"));
    ASSERT_TRUE(handle.Start().ok());
    WaitForProgress(handle, 5000, {1});
    const std::vector<pid_t> hosts = daemon_->WorkerProcessesWith("--pool-host");
    const absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
    ASSERT_TRUE(other.ok());
    const pid_t host = other->ListPools()->pools(0).pool_host_pid();
    ASSERT_EQ(kill(host, signal_number), 0);
    const CollectedReports collected = MustCollect(std::move(handle));
    ASSERT_EQ(collected.reports.size(), 3u);
    for (uint32_t i = 0; i < 3; ++i) ExpectSentinel(collected.reports[i], i);
    EXPECT_EQ(collected.reports[0].exit_info().signaled().signal(), SIGKILL)
        << collected.reports[0].exit_info().ShortDebugString();
    EXPECT_TRUE(collected.reports[0].has_last_record());
    EXPECT_NE(collected.summary.pool_host_error(), "");
    const absl::Status idle = daemon_->WaitUntilIdle(Deadline::After(absl::Seconds(5)));
    EXPECT_TRUE(idle.ok()) << idle;
    EXPECT_TRUE(client_->Spawn(Spec("")).ok()) << "the daemon serves on";
  }
};

TEST_F(PoolHostFaultTest, AKilledPoolHostTakesItsWorkersAlong) { ExpectAllSentinelsAfter(SIGKILL, "behave"); }

TEST_F(PoolHostFaultTest, AlsoAGrandchildThatLeftTheGroup) { ExpectAllSentinelsAfter(SIGKILL, "grandchild_away"); }

TEST_F(PoolHostFaultTest, AStoppedPoolHostIsKilledAtTheDeadline) {
  WorkloadHandle handle = MustSpawn(FunctionSpec("behave", "", "num_workers: 2"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 5000);
  const absl::StatusOr<Operator> other = Operator::Connect(daemon_->address());
  ASSERT_EQ(kill(other->ListPools()->pools(0).pool_host_pid(), SIGSTOP), 0);
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 2u);
  EXPECT_NE(collected.summary.pool_host_error(), "");
}

}  // namespace
}  // namespace muster
