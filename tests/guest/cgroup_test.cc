// Two CPUs, reached through a forwarded port: what cgroups do to workers; and a guest whose CPUs and clock are halted.
#include "absl/strings/match.h"
#include "client/cgroup_manager.h"
#include "tests/guest/guest_fixture.h"
#include "tests/guest/monitored_qemu.h"
#include "tests/guest/sound_report.h"
#include "tests/guest/work_types.h"

namespace muster {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

[[maybe_unused]] const auto* const kGuest = testing::AddGlobalTestEnvironment(
    new SharedGuest({"--cpus=2", "--transport=tcp",
                     "--qemu=" + QemuWith(testing::TempDir(), "qemu-with-monitor", MonitorArguments())}));

INSTANTIATE_TEST_SUITE_P(TwoCpus, WorkTypeTest, testing::ValuesIn(WorkTypeFields()), WorkTypeName);

class CgroupGuestTest : public GuestTest {
 protected:
  // Removed with the test's client.
  void MakeCgroup(const std::string& text) {
    v1::CgroupSpec spec = ParseSpec("cgroups { " + text + " }").cgroups(0);
    const auto made = CgroupManager(client()).Create(spec);
    EXPECT_TRUE(made.ok()) << made.status();
  }
};

TEST_F(CgroupGuestTest, ControllersAreThere) {
  const auto info = client().ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  for (const v1::CgroupController& controller : info->cgroup_controllers()) {
    const bool wanted = controller.name() == "cpu" || controller.name() == "cpuset" || controller.name() == "memory" ||
                        controller.name() == "pids";
    EXPECT_TRUE(controller.available() || !wanted) << controller.name() << ": " << controller.reason();
  }
}

TEST_F(CgroupGuestTest, TwoCgroupsKeepTheirWorkersOnTheirCpus) {
  const auto reports = RunSpec(R"(
      cgroups { name: "cg0" settings { cpuset_cpus: "0" } }
      cgroups { name: "cg1" settings { cpuset_cpus: "1" } }
      num_workers: 2 work { spin_wait {} } cgroup: "cg0"
      composed { num_workers: 2 work { yield_heavy {} } cgroup: "cg1" }
      composed { num_workers: 2 work { pipe_io {} } cgroup: "cg0" }
      composed { num_workers: 1 work { bursty {} } cgroup: "cg1" })",
                               absl::Seconds(2));
  ASSERT_EQ(reports.size(), 7u);
  for (const v1::WorkerReport& report : reports) {
    const bool first = report.group_idx() % 2 == 0;
    ExpectSound(report);
    EXPECT_THAT(report.cgroup_at_start(), EndsWith(first ? "/cg0" : "/cg1"));
    EXPECT_EQ(report.cgroup_at_end(), report.cgroup_at_start());
    EXPECT_THAT(report.cpus_used(), ElementsAre(first ? 0u : 1u));
    EXPECT_EQ(report.effective_cpus(), first ? "0" : "1");
  }
}

TEST_F(CgroupGuestTest, CpuMaxOfAFifthGivesAFifth) {
  const auto reports = RunSpec(R"(
      cgroups { name: "slow" settings { cpu_max_quota { nanos: 20000000 } cpu_max_period { nanos: 100000000 } } }
      work { spin_wait {} } cgroup: "slow")",
                               PassedHere(absl::Seconds(4)));
  EXPECT_THAT(CpuShare(reports[0]), AllOf(Ge(0.15), Le(0.25)));
}

TEST_F(CgroupGuestTest, CpuWeightsOfOneToFourShareACpuSo) {
  const auto reports = RunSpec(R"(
      cgroups { name: "light" settings { cpuset_cpus: "0" cpu_weight: 100 } }
      cgroups { name: "heavy" settings { cpuset_cpus: "0" cpu_weight: 400 } }
      work { spin_wait {} } cgroup: "light"
      composed { num_workers: 1 work { spin_wait {} } cgroup: "heavy" })",
                               absl::Seconds(3));
  EXPECT_THAT(CpuShare(reports[1]) / CpuShare(reports[0]), AllOf(Ge(3.0), Le(5.3)));
}

TEST_F(CgroupGuestTest, WorkerOverMemoryMaxIsKilledAndLeavesItsLastRecord) {
  MakeCgroup("name: 'tight' settings { memory_max_bytes: 50331648 }");
  // Touches up to 32 MiB of 48 over and over, and leaves a record after each round: 8,128 touches and 64 spin steps are
  // eight checkpoints' worth of units.
  auto large = StartSpec("work { page_fault_churn { region_kib: 131072 touches_per_cycle: 8128 } } cgroup: 'tight'");
  ASSERT_TRUE(large.has_value());
  WaitUntil(*large, [](const std::vector<uint64_t>& iterations) { return iterations[0] >= 2; });
  // Two of 12 MiB beside it: too much together, and the first is the largest.
  const auto small = StartSpec("num_workers: 2 work { cache_pressure { size_kib: 12288 } } cgroup: 'tight'");
  ASSERT_TRUE(small.has_value());
  const absl::Status watched =
      large->Watch(absl::Milliseconds(100), [](const v1::WatchUpdate& update) { return update.states(0) != v1::DEAD; },
                   {.timeout = kPatience});
  EXPECT_TRUE(watched.ok()) << watched;
  const auto collected = (*std::move(large)).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  const v1::WorkerReport& report = collected->reports[0];
  ASSERT_TRUE(report.exit_info().has_signaled()) << report.ShortDebugString();
  EXPECT_EQ(report.exit_info().signaled().signal(), 9);
  EXPECT_TRUE(report.exit_info().signaled().oom_killed());
  EXPECT_FALSE(report.completed());
  EXPECT_EQ(report.iterations(), 0u);
  EXPECT_GT(report.last_record().record().iterations(), 0u);
}

TEST_F(CgroupGuestTest, PidsMaxRefusesASpawnInWordsAndTheNextOneWorks) {
  MakeCgroup("name: 'few' settings { pids_max: 4 }");
  const absl::Status refused = client().Spawn(ParseSpec("num_workers: 8 cgroup: 'few'")).status();
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.message()), HasSubstr("pids.max"));
  // Nothing of it is left: there is room for four.
  const auto reports = RunSpec("num_workers: 4 cgroup: 'few'", AllWorked);
  for (const v1::WorkerReport& report : reports) ExpectSound(report);
}

// A move to a cpuset resets the affinity before Linux 6.2; the guest of every change has 6.1.
TEST_F(CgroupGuestTest, AffinityAskedForHoldsAfterACpusetMoveThatResetsIt) {
  MakeCgroup("name: 'both' settings { cpuset_cpus: '0-1' }");
  auto pool = client().Spawn(ParseSpec("num_workers: 2 affinity { exact { cpus: '1' } }"));
  ASSERT_TRUE(pool.ok()) << pool.status();
  ASSERT_TRUE(pool->Place("both").ok());
  ASSERT_TRUE(pool->Start().ok());
  WaitUntil(*pool, AllWorked);
  const auto collected = std::move(*pool).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  for (const v1::WorkerReport& report : collected->reports) {
    ExpectSound(report);
    EXPECT_THAT(report.cgroup_at_start(), EndsWith("/both"));
    EXPECT_EQ(report.effective_cpus(), "1");
    EXPECT_THAT(report.cpus_used(), ElementsAre(1u));
  }
}

TEST_F(CgroupGuestTest, AffinityOfARunningWorkerHoldsAfterACpusetMoveThatResetsIt) {
  MakeCgroup("name: 'both' settings { cpuset_cpus: '0-1' }");
  auto pool = StartSpec("num_workers: 2 affinity { exact { cpus: '1' } }");
  ASSERT_TRUE(pool.has_value());
  WaitUntil(*pool, AllWorked);
  v1::PlaceRequest request;
  request.set_cgroup("both");
  const auto placed = pool->remote().Place(request);
  ASSERT_TRUE(placed.ok()) << placed.status();
  for (const v1::PlaceOutcome& outcome : placed->outcomes()) {
    EXPECT_EQ(outcome.error(), "");
    EXPECT_EQ(outcome.effective_cpus(), "1");
  }
}

// Nothing in the guest knows that time went by.
TEST_F(CgroupGuestTest, GuestWhoseCpusAreHaltedIsNoticedAndItsPoolGoesOnAfterwards) {
  auto pool = StartSpec("num_workers: 2");
  ASSERT_TRUE(pool.has_value());
  ASSERT_TRUE(TellMonitor("stop").ok());
  // Several times what keepalive waits for.
  const absl::Status noticed = pool->Snapshot({.timeout = absl::Seconds(10)}).status();
  ASSERT_TRUE(TellMonitor("cont").ok());
  EXPECT_THAT(noticed.code(), AnyOf(absl::StatusCode::kUnavailable, absl::StatusCode::kDeadlineExceeded)) << noticed;
  const auto collected = (*std::move(pool)).StopAndCollect({.call = {.timeout = kPatience}});
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_TRUE(IsReattachedInTime());
  for (const v1::WorkerReport& report : collected->reports) ExpectSound(report);
}

}  // namespace
}  // namespace muster
