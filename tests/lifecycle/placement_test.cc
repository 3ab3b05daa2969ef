// Where workers run: from their first instruction on in the cgroup that was asked for, by their own evidence.
#include <fcntl.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "client/cgroup_manager.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

using PlacementTest = LiveTest;

// The released worker's stamp does not precede the gate's, and both its readings of its cgroup end in `cgroup`.
void ExpectRanIn(const v1::WorkerReport& report, const std::string& cgroup) {
  SCOPED_TRACE(absl::StrCat("worker ", report.worker_index()));
  EXPECT_TRUE(report.completed());
  EXPECT_GT(report.released_at_ns(), 0u);
  EXPECT_GE(report.first_instruction_at_ns(), report.released_at_ns());
  EXPECT_TRUE(absl::EndsWith(report.cgroup_at_start(), "/workload/" + cgroup)) << report.cgroup_at_start();
  EXPECT_TRUE(absl::EndsWith(report.cgroup_at_end(), "/workload/" + cgroup)) << report.cgroup_at_end();
}

void ExpectAllRanIn(const CollectedReports& collected, size_t workers, const std::string& cgroup) {
  ASSERT_EQ(collected.reports.size(), workers);
  for (const v1::WorkerReport& report : collected.reports) {
    ExpectRanIn(report, cgroup);
    EXPECT_GT(report.iterations(), 0u);
  }
}

TEST_F(PlacementTest, ForkWorkersAreBornInTheNamedCgroup) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 3 cgroup: 'target' cgroups { name: 'target' }"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  ExpectAllRanIn(MustCollect(std::move(handle)), 3, "target");
}

TEST_F(PlacementTest, ThreadWorkersAreBornInTheNamedCgroup) {
  WorkloadHandle handle =
      MustSpawn(Spec("num_workers: 3 clone_mode: THREAD cgroup: 'target' cgroups { name: 'target' }"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  ExpectAllRanIn(MustCollect(std::move(handle)), 3, "target");
}

TEST_F(PlacementTest, PcommWorkersAreBornInTheNamedCgroup) {
  WorkloadHandle handle =
      MustSpawn(Spec("num_workers: 3 pcomm { name: 'container' } cgroup: 'target' cgroups { name: 'target' }"));
  const pid_t leader = handle.workers()[0].pid();
  EXPECT_EQ(*ReadFile(absl::StrCat("/proc/", leader, "/comm")), "container\n");
  EXPECT_EQ(handle.WorkerPids(), std::vector<pid_t>{leader});
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  ExpectAllRanIn(MustCollect(std::move(handle)), 3, "target");
}

// The three clone modes, spawned in the pool's own cgroup and then moved.
class SpawnThenPlaceTest : public PlacementTest, public testing::WithParamInterface<const char*> {};

TEST_P(SpawnThenPlaceTest, FirstInstructionIsInTheTargetCgroup) {
  CgroupManager cgroups(*client_);
  v1::CgroupSpec target;
  target.set_name("later");
  ASSERT_TRUE(cgroups.Create(target).ok());
  WorkloadHandle handle = MustSpawn(Spec(absl::StrCat("num_workers: 4 ", GetParam())));
  const absl::Status placed = handle.Place("later");
  ASSERT_TRUE(placed.ok()) << placed;
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  ExpectAllRanIn(MustCollect(std::move(handle)), 4, "later");
}

INSTANTIATE_TEST_SUITE_P(CloneModes, SpawnThenPlaceTest,
                         testing::Values("", "clone_mode: THREAD", "pcomm { name: 'box' }"));

TEST_F(PlacementTest, ThreadsOfOneProcessGoToThreadedCgroups) {
  WorkloadHandle handle = MustSpawn(Spec(R"(
      num_workers: 2 clone_mode: THREAD cgroup: 'root/a'
      composed { num_workers: 2 cgroup: 'root/b' work { spin_wait {} } }
      cgroups { name: 'root' kind: THREADED_ROOT }
      cgroups { name: 'root/a' kind: THREADED } cgroups { name: 'root/b' kind: THREADED })"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 4u);
  for (const v1::WorkerReport& report : collected.reports) {
    ExpectRanIn(report, report.group_idx() == 0 ? "root/a" : "root/b");
    EXPECT_EQ(report.pid(), collected.reports[0].pid());
  }
}

TEST_F(PlacementTest, PlacingThreadsByThreadMovesOnlyThose) {
  WorkloadHandle handle = MustSpawn(Spec(R"(
      num_workers: 2 clone_mode: THREAD cgroup: 'root'
      cgroups { name: 'root' kind: THREADED_ROOT } cgroups { name: 'root/a' kind: THREADED })"));
  const absl::Status placed = handle.PlaceThreads("root/a", {1});
  ASSERT_TRUE(placed.ok()) << placed;
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 2u);
  ExpectRanIn(collected.reports[0], "root");
  ExpectRanIn(collected.reports[1], "root/a");
}

TEST_F(PlacementTest, PartOfAThreadPoolByProcessIsRefusedWithTheHint) {
  CgroupManager cgroups(*client_);
  v1::CgroupSpec target;
  target.set_name("elsewhere");
  ASSERT_TRUE(cgroups.Create(target).ok());
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2 clone_mode: THREAD"));
  const absl::Status placed = handle.Place("elsewhere", {1});
  EXPECT_EQ(placed.code(), absl::StatusCode::kFailedPrecondition) << placed;
  EXPECT_TRUE(absl::StrContains(placed.message(), "thread")) << placed;
}

TEST_F(PlacementTest, ThreadWorkersGiveNoPidsForCgroupProcs) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2 clone_mode: THREAD"));
  const absl::Status refused = handle.WorkerPidsForCgroupProcs().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(refused.message(), "PlaceThreads")) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "cgroup.threads")) << refused;
}

TEST_F(PlacementTest, AWorkerMovedBehindOurBackShowsItInItsReport) {
  WorkloadHandle handle =
      MustSpawn(Spec("num_workers: 2 cgroup: 'asked' cgroups { name: 'asked' } cgroups { name: 'secret' }"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  const std::string procs = daemon_->CgroupPath("secret/cgroup.procs");
  ASSERT_TRUE(WriteFileAt(AT_FDCWD, procs, absl::StrCat(handle.workers()[1].pid())).ok());
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 2u);
  ExpectRanIn(collected.reports[0], "asked");
  EXPECT_TRUE(absl::EndsWith(collected.reports[1].cgroup_at_start(), "/asked"));
  EXPECT_TRUE(absl::EndsWith(collected.reports[1].cgroup_at_end(), "/secret"));
}

TEST_F(PlacementTest, SetupHoldsAfterAPlace) {
  CgroupManager cgroups(*client_);
  v1::CgroupSpec target;
  target.set_name("later");
  ASSERT_TRUE(cgroups.Create(target).ok());
  WorkloadHandle handle = MustSpawn(Spec(R"(
      num_workers: 2 affinity { exact { cpus: '1' } } sched_policy { batch {} } nice: 5 comm: 'named'
      mem_policy { bind { nodes: '0' } })"));
  ASSERT_TRUE(handle.Place("later").ok());
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  for (const v1::WorkerReport& report : MustCollect(std::move(handle)).reports) {
    ExpectRanIn(report, "later");
    EXPECT_EQ(report.setups(), 2u);
    EXPECT_EQ(report.effective_cpus(), "1");
    EXPECT_THAT(report.cpus_used(), testing::ElementsAre(1));
    EXPECT_EQ(report.effective_policy(), "SCHED_BATCH nice 5");
    EXPECT_EQ(report.effective_mem_policy(), "bind:0");
    EXPECT_EQ(report.affinity_error(), "");
    EXPECT_EQ(report.sched_policy_error(), "");
  }
}

TEST_F(PlacementTest, APinnedWorkerRunsOnlyThere) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2"));
  ASSERT_TRUE(handle.SetAffinity(0, *CpuSet::Parse("0")).ok());
  ASSERT_TRUE(handle.SetAffinity(1, *CpuSet::Parse("1")).ok());
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 100);
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 2u);
  EXPECT_THAT(collected.reports[0].cpus_used(), testing::ElementsAre(0));
  EXPECT_THAT(collected.reports[1].cpus_used(), testing::ElementsAre(1));
}

TEST_F(PlacementTest, PinningAWorkerThatIsNotThereIsRefused) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2"));
  EXPECT_FALSE(handle.SetAffinity(2, *CpuSet::Parse("0")).ok());
  EXPECT_FALSE(handle.SetAffinity(0, *CpuSet::Parse("4000")).ok());
}

TEST_F(PlacementTest, NoWorkRunsBeforeTheGate) {
  const std::string trace = daemon_->directory() + "/trace";
  WorkloadHandle handle = MustSpawn(FunctionSpec("trace", trace, "num_workers: 2"));
  const absl::StatusOr<v1::SnapshotResponse> before = handle.Snapshot();
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_THAT(before->states(), testing::Each(v1::BLOCKED));
  // The workers wait in the gate: what they would write first is not there, whatever time passes until Start.
  EXPECT_NE(access(trace.c_str(), F_OK), 0);
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  EXPECT_EQ(*ReadFile(trace), "ran\nran\n");
}

}  // namespace
}  // namespace muster
