// Four CPUs on two nodes, reached over vsock: where pages and workers go.
#include "tests/guest/guest_fixture.h"
#include "tools/vm/kernel/vsock_device.h"
#include "tools/vm/support/cache.h"

namespace muster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSubsetOf;

constexpr uint64_t kWalkedPages = 4096;
// 16 MiB in pages of 4 KiB.
constexpr char kWalk[] = "work { cache_pressure { size_kib: 16384 stride: 4096 } } ";

uint64_t Pages(const v1::WorkerReport& report, uint32_t node) {
  const auto found = report.numa_pages().find(node);
  return found == report.numa_pages().end() ? 0 : found->second;
}

class NumaGuestTest : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    // Where it cannot be had, the guest is reached through a forwarded port, and says so.
    vm::KernelOptions options;
    const absl::StatusOr<std::string> cache = vm::OpenCache("");
    if (cache.ok()) options.cache = *cache;
    if (cache.ok()) vm::FetchVsockDevice(options).IgnoreError();
    Boot({"--cpus=4", "--numa=2", "--memory=768M", "--add=bin/loopback-client:tests/guest/loopback_client",
          "--daemon-arg=--allow-exec", "--daemon-arg=--vsock-local"});
  }
};

TEST_F(NumaGuestTest, TopologyIsAsAsked) {
  const auto info = client().ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  const v1::Topology& topology = info->topology();
  EXPECT_EQ(topology.cpus_online(), "0-3");
  ASSERT_EQ(topology.nodes_size(), 2);
  EXPECT_EQ(topology.nodes(0).cpus(), "0-1");
  EXPECT_EQ(topology.nodes(1).cpus(), "2-3");
  EXPECT_THAT(topology.llcs(), ElementsAre("0-1", "2-3"));
}

TEST_F(NumaGuestTest, BoundPagesAreOnTheirNode) {
  const auto reports = RunSpec(std::string(kWalk) + "mem_policy { bind { nodes: '1' } }", absl::Seconds(1));
  EXPECT_EQ(reports[0].setup_errors().mem_policy_error(), "");
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages);
  EXPECT_LT(Pages(reports[0], 0), kWalkedPages / 2);
}

TEST_F(NumaGuestTest, InterleavedPagesAreOnBothNodes) {
  const auto reports = RunSpec(std::string(kWalk) + "mem_policy { interleave { nodes: '0-1' } }", absl::Seconds(1));
  EXPECT_GE(Pages(reports[0], 0), kWalkedPages / 3);
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages / 3);
}

TEST_F(NumaGuestTest, LocalPagesFollowTheNodeOfTheWorker) {
  const auto reports = RunSpec(std::string(kWalk) + "numa_node: 1 mem_policy { local {} }", absl::Seconds(1));
  EXPECT_EQ(reports[0].effective_cpus(), "2-3");
  EXPECT_THAT(reports[0].cpus_used(), IsSubsetOf({2u, 3u}));
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages);
}

TEST_F(NumaGuestTest, CpusetMemsHoldsPagesOnItsNode) {
  const auto reports = RunSpec(
      std::string("cgroups { name: 'far' settings { cpuset_cpus: '0-1' cpuset_mems: '1' } } cgroup: 'far' ") + kWalk,
      absl::Seconds(1));
  EXPECT_THAT(reports[0].cpus_used(), IsSubsetOf({0u, 1u}));
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages);
}

TEST_F(NumaGuestTest, LlcAlignedWorkersShareOneCache) {
  const auto reports = RunSpec("num_workers: 2 affinity { llc_aligned {} }", absl::Milliseconds(500));
  EXPECT_EQ(reports[0].effective_cpus(), reports[1].effective_cpus());
  EXPECT_TRUE(reports[0].effective_cpus() == "0-1" || reports[0].effective_cpus() == "2-3")
      << reports[0].effective_cpus();
}

TEST_F(NumaGuestTest, RealTimeAndDeadlinePoliciesAreApplied) {
  const auto reports = RunSpec(R"(
      work { bursty {} } sched_policy { fifo { priority: 50 } }
      composed { num_workers: 1 work { bursty {} } sched_policy { round_robin { priority: 10 } } }
      composed { num_workers: 1 work { bursty {} } sched_policy { deadline { runtime { nanos: 5000000 } deadline { nanos: 50000000 } } } }
      composed { num_workers: 1 work { bursty {} } sched_policy { batch {} } })",
                               absl::Seconds(1));
  EXPECT_EQ(reports[0].effective_policy(), "SCHED_FIFO 50");
  EXPECT_EQ(reports[1].effective_policy(), "SCHED_RR 10");
  EXPECT_EQ(reports[2].sched_policy_error(), "");
  EXPECT_EQ(reports[2].effective_policy().rfind("SCHED_DEADLINE", 0), 0u) << reports[2].effective_policy();
  EXPECT_EQ(reports[3].effective_policy().rfind("SCHED_BATCH", 0), 0u) << reports[3].effective_policy();
}

TEST_F(NumaGuestTest, ClientInTheGuestReachesTheDaemonOverVsockLoopback) {
  if (guest().transport().kind == vm::TransportKind::kForwardedPort)
    GTEST_SKIP() << "no vsock device could be had: the daemon does not listen on vsock";
  WorkloadHandle pool =
      Spawn("work { custom { label: 'loopback' program { path: '/bin/loopback-client' args: 'vsock://1:7070' } } }");
  ASSERT_TRUE(pool.Start().ok());
  // It ends by itself, and its pool with it.
  const absl::Status watched =
      pool.Watch(absl::Milliseconds(100), [](const v1::WatchUpdate& update) { return update.states(0) < v1::FINISHED; },
                 {.timeout = absl::Seconds(60)});
  EXPECT_TRUE(watched.ok()) << watched;
  const auto collected = std::move(pool).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  const v1::WorkerReport& report = collected->reports[0];
  EXPECT_TRUE(report.kernel_accounting().has_exit_code() && report.kernel_accounting().exit_code() == 0)
      << report.ShortDebugString();
}

}  // namespace
}  // namespace muster
