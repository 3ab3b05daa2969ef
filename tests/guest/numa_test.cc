// Four CPUs on two nodes, reached over vsock: where pages and workers go, and who answers while real-time workers spin.
#include "tests/guest/guest_fixture.h"
#include "tests/guest/realtime_load.h"
#include "tests/guest/sound_report.h"
#include "tests/guest/work_types.h"

namespace muster {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsSubsetOf;
using ::testing::StartsWith;

constexpr uint64_t kWalkedPages = 4096;
// 16 MiB in pages of 4 KiB.
constexpr char kWalk[] = "work { cache_pressure { size_kib: 16384 stride: 4096 } } ";

[[maybe_unused]] const auto* const kGuest = testing::AddGlobalTestEnvironment(
    new SharedGuest({"--cpus=4", "--numa=2", "--memory=768M", "--transport=vhost-device-vsock",
                     "--add=bin/loopback-client:tests/guest/loopback_client", "--daemon-arg=--allow-exec",
                     "--daemon-arg=--vsock-local", kDaemonKeepaliveFlag}));

INSTANTIATE_TEST_SUITE_P(TwoNodes, WorkTypeTest, testing::ValuesIn(WorkTypeFields()), WorkTypeName);

using NumaGuestTest = GuestTest;

uint64_t Pages(const v1::WorkerReport& report, uint32_t node) {
  const auto found = report.numa_pages().find(node);
  return found == report.numa_pages().end() ? 0 : found->second;
}

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
  ExpectSound(reports[0]);
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages);
  EXPECT_LT(Pages(reports[0], 0), kWalkedPages / 2);
}

TEST_F(NumaGuestTest, PreferredPagesAreOnTheirNode) {
  const auto reports = RunSpec(std::string(kWalk) + "mem_policy { preferred { node: 1 } }", absl::Seconds(1));
  ExpectSound(reports[0]);
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages);
  EXPECT_LT(Pages(reports[0], 0), kWalkedPages / 2);
}

TEST_F(NumaGuestTest, InterleavedPagesAreOnBothNodes) {
  const auto reports = RunSpec(std::string(kWalk) + "mem_policy { interleave { nodes: '0-1' } }", absl::Seconds(1));
  ExpectSound(reports[0]);
  EXPECT_GE(Pages(reports[0], 0), kWalkedPages / 3);
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages / 3);
}

TEST_F(NumaGuestTest, LocalPagesFollowTheNodeOfTheWorker) {
  const auto reports = RunSpec(std::string(kWalk) + "numa_node: 1 mem_policy { local {} }", absl::Seconds(1));
  ExpectSound(reports[0]);
  EXPECT_EQ(reports[0].effective_cpus(), "2-3");
  EXPECT_THAT(reports[0].cpus_used(), IsSubsetOf({2u, 3u}));
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages);
}

TEST_F(NumaGuestTest, CpusetMemsHoldsPagesOnItsNode) {
  const auto reports = RunSpec(
      std::string("cgroups { name: 'far' settings { cpuset_cpus: '0-1' cpuset_mems: '1' } } cgroup: 'far' ") + kWalk,
      absl::Seconds(1));
  ExpectSound(reports[0]);
  EXPECT_THAT(reports[0].cpus_used(), IsSubsetOf({0u, 1u}));
  EXPECT_GE(Pages(reports[0], 1), kWalkedPages);
}

TEST_F(NumaGuestTest, LlcAlignedWorkersShareOneCache) {
  const auto reports = RunSpec("num_workers: 2 affinity { llc_aligned {} }", AllWorked);
  EXPECT_EQ(reports[0].effective_cpus(), reports[1].effective_cpus());
  EXPECT_THAT(reports[0].effective_cpus(), AnyOf("0-1", "2-3"));
}

TEST_F(NumaGuestTest, RealTimeAndDeadlinePoliciesAreApplied) {
  const auto reports = RunSpec(R"(
      work { bursty {} } sched_policy { fifo { priority: 50 } }
      composed { num_workers: 1 work { bursty {} } sched_policy { round_robin { priority: 10 } } }
      composed { num_workers: 1 work { bursty {} } sched_policy { deadline { runtime { nanos: 5000000 } deadline { nanos: 50000000 } } } }
      composed { num_workers: 1 work { bursty {} } sched_policy { batch {} } }
      composed { num_workers: 1 work { bursty {} } sched_policy { idle {} } nice: 5 })",
                               AllWorked);
  for (const v1::WorkerReport& report : reports) ExpectSound(report);
  EXPECT_EQ(reports[0].effective_policy(), "SCHED_FIFO 50");
  EXPECT_EQ(reports[1].effective_policy(), "SCHED_RR 10");
  EXPECT_THAT(reports[2].effective_policy(), StartsWith("SCHED_DEADLINE"));
  EXPECT_THAT(reports[3].effective_policy(), StartsWith("SCHED_BATCH"));
  EXPECT_THAT(reports[4].effective_policy(), StartsWith("SCHED_IDLE"));
}

class GuestClientTest : public GuestTest {
 protected:
  // Runs a client inside the guest, which must be content (loopback_client.cc).
  void RunClient(const std::string& args) { RunProgram("path: '/bin/loopback-client' " + args); }
};

TEST_F(GuestClientTest, ReachesTheDaemonOverVsockLoopback) { RunClient("args: 'vsock://1:7070'"); }

TEST_F(GuestClientTest, IsToldThatNobodyListensOnAPort) {
  RunClient("args: 'vsock://1:7071' args: 'nobody listens on that port there'");
}

TEST_F(GuestClientTest, IsToldThatThereIsNoSuchCid) { RunClient("args: 'vsock://99:7070' args: 'no such CID'"); }

INSTANTIATE_TEST_SUITE_P(TwoNodes, RealTimeLoadTest, testing::Values(""));

}  // namespace
}  // namespace muster
