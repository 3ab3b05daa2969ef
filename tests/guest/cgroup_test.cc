// Two CPUs, reached through a forwarded port: what cgroups do to workers.
#include "tests/guest/guest_fixture.h"

namespace muster {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Ge;
using ::testing::Le;

class CgroupGuestTest : public GuestTest {
 protected:
  static void SetUpTestSuite() { Boot({"--cpus=2", "--transport=tcp"}); }
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
    EXPECT_TRUE(report.completed()) << report.ShortDebugString();
    EXPECT_THAT(report.cgroup_at_start(), EndsWith(first ? "/cg0" : "/cg1"));
    EXPECT_EQ(report.cgroup_at_end(), report.cgroup_at_start());
    EXPECT_THAT(report.cpus_used(), ElementsAre(first ? 0u : 1u));
    EXPECT_EQ(report.effective_cpus(), first ? "0" : "1");
    EXPECT_GT(report.iterations(), 0u);
  }
}

TEST_F(CgroupGuestTest, CpuMaxOfAFifthGivesAFifth) {
  const auto reports = RunSpec(R"(
      cgroups { name: "slow" settings { cpu_max_quota { nanos: 20000000 } cpu_max_period { nanos: 100000000 } } }
      work { spin_wait {} } cgroup: "slow")",
                               absl::Seconds(3));
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

TEST_F(CgroupGuestTest, PidsMaxStopsASpawnThatIsTooLarge) {
  const std::string cgroup = R"(cgroups { name: "few" settings { pids_max: 4 } } cgroup: "few" )";
  EXPECT_FALSE(client().Spawn(ParseSpec(cgroup + "num_workers: 8")).ok());
  // Nothing of it is left: the same cgroup can be made again, and has room for four.
  const auto reports = RunSpec(cgroup + "num_workers: 4", absl::Milliseconds(300));
  EXPECT_EQ(reports.size(), 4u);
}

}  // namespace
}  // namespace muster
