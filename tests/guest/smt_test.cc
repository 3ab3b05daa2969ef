// Eight CPUs with two threads per core and two last-level caches: intents that need siblings, threads in cgroups.
#include "base/cpu_set.h"
#include "tests/guest/guest_fixture.h"
#include "tests/guest/sound_report.h"
#include "tests/guest/work_types.h"

namespace muster {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Ge;

[[maybe_unused]] const auto* const kGuest = testing::AddGlobalTestEnvironment(
    new SharedGuest({"--cpus=8", "--smt", "--llcs=2", "--memory=768M", "--transport=tcp"}));

INSTANTIATE_TEST_SUITE_P(EightCpus, WorkTypeTest, testing::ValuesIn(WorkTypeFields()), WorkTypeName);

using SmtGuestTest = GuestTest;

CpuSet CpusUsed(const v1::WorkerReport& report) {
  CpuSet cpus;
  for (const uint32_t cpu : report.cpus_used()) cpus.Add(cpu);
  return cpus;
}

TEST_F(SmtGuestTest, TopologyHasSiblingsAndTwoCaches) {
  const auto info = client().ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_THAT(info->topology().cores(), ElementsAre("0-1", "2-3", "4-5", "6-7"));
  EXPECT_THAT(info->topology().llcs(), ElementsAre("0-3", "4-7"));
}

TEST_F(SmtGuestTest, EachPairOfWorkersHasACoreOfItsOwn) {
  const auto reports = RunSpec("num_workers: 4 affinity { smt_sibling_pair {} }", AllWorked);
  CpuSet all;
  for (const v1::WorkerReport& report : reports) {
    ExpectSound(report);
    const auto cpus = CpuSet::Parse(report.effective_cpus());
    ASSERT_TRUE(cpus.ok()) << cpus.status();
    // An even CPU and its sibling, or one of the two.
    EXPECT_EQ(cpus->Ids().front() / 2, cpus->Ids().back() / 2) << report.effective_cpus();
    all = all.Union(*cpus);
  }
  EXPECT_EQ(all.Count(), 4u) << all.ToString();
}

TEST_F(SmtGuestTest, LlcAlignedWorkersStayOnTheCpusOfOneCache) {
  const auto reports = RunSpec("num_workers: 4 affinity { llc_aligned {} }", absl::Seconds(1));
  for (const v1::WorkerReport& report : reports) {
    ExpectSound(report);
    EXPECT_THAT(report.effective_cpus(), AnyOf("0-3", "4-7"));
    EXPECT_EQ(report.effective_cpus(), reports[0].effective_cpus());
    EXPECT_TRUE(CpusUsed(report).IsSubsetOf(*CpuSet::Parse(report.effective_cpus())));
  }
}

// A cpuset of three CPUs of the second cache and one of the first: the cache with the most of them.
TEST_F(SmtGuestTest, LlcAlignedLooksAtTheTargetCpuset) {
  const auto reports = RunSpec(R"(
      cgroups { name: "mostly-second" settings { cpuset_cpus: "3-6" } }
      num_workers: 2 affinity { llc_aligned {} } cgroup: "mostly-second")",
                               AllWorked);
  for (const v1::WorkerReport& report : reports) EXPECT_EQ(report.effective_cpus(), "4-6");
}

TEST_F(SmtGuestTest, ThreadsOfOneProcessStayInTheirThreadedCgroups) {
  const auto reports = RunSpec(R"(
      clone_mode: THREAD
      cgroups { name: "root" kind: THREADED_ROOT }
      cgroups { name: "root/left" kind: THREADED settings { cpuset_cpus: "0-3" } }
      cgroups { name: "root/right" kind: THREADED settings { cpuset_cpus: "4-7" } }
      num_workers: 2 cgroup: "root/left"
      composed { num_workers: 2 cgroup: "root/right" work { spin_wait {} } })",
                               absl::Seconds(1));
  for (const v1::WorkerReport& report : reports) {
    const bool left = report.group_idx() == 0;
    ExpectSound(report);
    EXPECT_THAT(report.cgroup_at_start(), EndsWith(left ? "/root/left" : "/root/right"));
    EXPECT_EQ(report.effective_cpus(), left ? "0-3" : "4-7");
    EXPECT_TRUE(CpusUsed(report).IsSubsetOf(*CpuSet::Parse(left ? "0-3" : "4-7"))) << report.ShortDebugString();
    EXPECT_EQ(report.pid(), reports[0].pid());
  }
}

TEST_F(SmtGuestTest, WeightsOfThreadedCgroupsAct) {
  const auto reports = RunSpec(R"(
      clone_mode: THREAD
      cgroups { name: "root" kind: THREADED_ROOT settings { cpuset_cpus: "2" } }
      cgroups { name: "root/light" kind: THREADED settings { cpu_weight: 100 } }
      cgroups { name: "root/heavy" kind: THREADED settings { cpu_weight: 400 } }
      cgroup: "root/light"
      composed { num_workers: 1 cgroup: "root/heavy" work { spin_wait {} } })",
                               absl::Seconds(2));
  EXPECT_THAT(CpuShare(reports[1]) / CpuShare(reports[0]), Ge(2.5));
}

}  // namespace
}  // namespace muster
