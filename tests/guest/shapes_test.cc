// More shapes of guests than every change needs: each boots, is what was asked for, and has workers on every CPU.
#include "absl/strings/str_cat.h"
#include "base/test_run.h"
#include "tests/guest/guest_fixture.h"
#include "tests/guest/sound_report.h"

namespace muster {
namespace {

struct ShapeCase {
  std::string name;
  std::vector<std::string> flags;
  int cpus;
  int nodes;
  int llcs;
};

class ShapeTest : public testing::TestWithParam<ShapeCase> {
 protected:
  void SetUp() override {
    if (!IsLongRun()) GTEST_SKIP() << "more shapes: tools/test --long boots them";
  }
};

TEST_P(ShapeTest, GuestIsAsAskedAndWorkersRunOnEveryCpu) {
  std::vector<std::string> flags = GetParam().flags;
  flags.push_back("--transport=tcp");
  const absl::StatusOr<std::unique_ptr<vm::Guest>> guest = BootGuest(flags);
  ASSERT_TRUE(guest.ok()) << guest.status();
  auto client = Client::Connect((*guest)->address(), {.connect_timeout = absl::Minutes(3)});
  ASSERT_TRUE(client.ok()) << client.status();
  const auto info = client->ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  const int cpus = GetParam().cpus;
  EXPECT_EQ(info->topology().cpus_online(), cpus == 1 ? "0" : absl::StrCat("0-", cpus - 1));
  EXPECT_EQ(info->topology().nodes_size(), GetParam().nodes);
  EXPECT_EQ(info->topology().llcs_size(), GetParam().llcs);
  auto pool = client->Spawn(
      ParseSpec(absl::StrCat(OneOnEachCpu(info->topology().cpus_online(), "work { spin_wait {} } cgroup: 'all'"),
                             "cgroups { name: 'all' settings { cpu_weight: 200 } }")));
  ASSERT_TRUE(pool.ok()) << pool.status();
  ASSERT_TRUE(pool->Start().ok());
  GuestTest::WaitUntil(*pool, AllWorked);
  const auto collected = std::move(*pool).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  ASSERT_EQ(collected->reports.size(), static_cast<size_t>(cpus));
  for (const v1::WorkerReport& report : collected->reports) {
    ExpectSound(report);
    EXPECT_THAT(report.cpus_used(), testing::ElementsAre(report.worker_index()));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Long, ShapeTest,
    testing::Values(
        ShapeCase{"OneCpu", {"--cpus=1"}, 1, 1, 1}, ShapeCase{"ThreeCpus", {"--cpus=3"}, 3, 1, 1},
        ShapeCase{"EightCpusFourNodes", {"--cpus=8", "--numa=4", "--memory=1G"}, 8, 4, 4},
        ShapeCase{
            "EightCpusSmtTwoNodesFourCaches", {"--cpus=8", "--smt", "--numa=2", "--llcs=4", "--memory=1G"}, 8, 2, 4},
        ShapeCase{"SixteenCpus", {"--cpus=16", "--memory=1G"}, 16, 1, 1}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace muster
