// Two CPUs, reached over vsock through a device in user space: whole lives of workloads, and what happens when a client
// or the guest is cut off in the middle.
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "base/spawn_process.h"
#include "client/cgroup_manager.h"
#include "tests/guest/guest_fixture.h"
#include "tests/guest/sound_report.h"
#include "tests/support/held_client_process.h"

namespace muster {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

const std::vector<std::string> kFlags = {"--cpus=2", "--transport=vhost-device-vsock"};

[[maybe_unused]] const auto* const kGuest = testing::AddGlobalTestEnvironment(new SharedGuest(kFlags));

using LifecycleGuestTest = GuestTest;

TEST_F(LifecycleGuestTest, WholeLifeOverVsock) {
  v1::CgroupSpec cgroup;
  cgroup.set_name("whole");
  const CgroupManager cgroups(client());
  ASSERT_TRUE(cgroups.Create(cgroup).ok());
  auto pool = client().Spawn(ParseSpec("num_workers: 4 work { pipe_io {} }"));
  ASSERT_TRUE(pool.ok()) << pool.status();
  ASSERT_TRUE(pool->Place("whole").ok());
  const auto blocked = pool->SnapshotIterations();
  ASSERT_TRUE(blocked.ok()) << blocked.status();
  EXPECT_EQ(*blocked, std::vector<uint64_t>(4));
  ASSERT_TRUE(pool->Start().ok());
  WaitUntil(*pool, AllWorked);
  const auto running = pool->SnapshotIterations();
  ASSERT_TRUE(running.ok()) << running.status();
  const auto collected = std::move(*pool).StopAndCollect();
  ASSERT_TRUE(collected.ok()) << collected.status();
  ASSERT_EQ(collected->reports.size(), 4u);
  for (const v1::WorkerReport& report : collected->reports) {
    ExpectSound(report);
    EXPECT_THAT(report.cgroup_at_start(), EndsWith("/whole"));
    EXPECT_GE(report.iterations(), (*running)[report.worker_index()]);
  }
  EXPECT_EQ(CountPools(), 0);
  EXPECT_TRUE(cgroups.Remove("whole").ok());
}

// Reports of more than a megabyte: more than any buffer on the way.
constexpr char kManySamples[] = "num_workers: 4 work { alu_hot { width: SCALAR } }";

bool HaveManySamples(const std::vector<uint64_t>& iterations) {
  return std::all_of(iterations.begin(), iterations.end(), [](uint64_t n) { return n >= 60'000; });
}

TEST_F(LifecycleGuestTest, LargeReportsArriveWhole) {
  const auto reports = RunSpec(kManySamples, HaveManySamples);
  for (const v1::WorkerReport& report : reports) {
    ExpectSound(report);
    EXPECT_GE(report.iteration_costs_ns_size(), 60'000);
  }
}

// A client process of its own whose workers run in cgroup "cut".
class HeldClientTest : public GuestTest {
 protected:
  void SetUp() override {
    GuestTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    absl::StatusOr<SpawnedProcess> client =
        StartHeldClient(guest().address(), "num_workers: 4 cgroup: 'cut' cgroups { name: 'cut' }", kPatience);
    ASSERT_TRUE(client.ok()) << client.status();
    held_ = *std::move(client);
    ASSERT_EQ(CountPools(), 1);
  }

  void TearDown() override {
    if (held_.pid > 0) Kill();
    GuestTest::TearDown();
  }

  void Kill() {
    const absl::Status killed = KillHeldClient(held_, kPatience);
    EXPECT_TRUE(killed.ok()) << killed;
    held_ = {};
  }

  // Once TTL and grace have run: the pool is gone, and a cgroup that is gone held no process.
  void ExpectNothingIsLeft() {
    const Deadline deadline = Deadline::After(kPatience);
    while (CountPools() != 0 && !deadline.Expired()) {
    }
    EXPECT_EQ(CountPools(), 0);
    const absl::Status removed = CgroupManager(client()).Remove("cut");
    EXPECT_EQ(removed.code(), absl::StatusCode::kNotFound) << removed;
  }

  SpawnedProcess held_;
};

TEST_F(HeldClientTest, NothingIsLeftOfAClientThatIsKilled) {
  Kill();
  ExpectNothingIsLeft();
}

TEST_F(HeldClientTest, NothingIsLeftOfAClientThatIsFrozen) {
  ASSERT_TRUE(held_.pidfd.Signal(SIGSTOP).ok());
  ExpectNothingIsLeft();
}

// QEMU stands still, and with it the guest; its vsock device does not. The guest may be silent for as long again as it
// stood still, which the default grace does not cover (docs/operations.md).
class FrozenGuestTest : public GuestTest {
 protected:
  FrozenGuestTest() : GuestTest({.lease = {.grace = absl::Minutes(1)}}) {}

  void TearDown() override {
    if (frozen_) Thaw();
    GuestTest::TearDown();
  }

  void Freeze() {
    EXPECT_TRUE(guest().qemu().Signal(SIGSTOP).ok());
    frozen_ = true;
  }
  void Thaw() {
    EXPECT_TRUE(guest().qemu().Signal(SIGCONT).ok());
    frozen_ = false;
  }

 private:
  bool frozen_ = false;
};

// Several times what keepalive waits for.
constexpr CallOptions kLongerThanKeepalive = {.timeout = absl::Seconds(10)};

TEST_F(FrozenGuestTest, IsNoticedWithinTheDeadlineAndReachedAgainAfterwards) {
  Freeze();
  const absl::Status noticed = client().ServerInfo(kLongerThanKeepalive).status();
  Thaw();
  EXPECT_EQ(noticed.code(), absl::StatusCode::kDeadlineExceeded) << noticed;
  // Keepalive gave the silent connection up, and dialling anew found nobody.
  EXPECT_THAT(std::string(noticed.message()),
              AllOf(HasSubstr("(dialling again after"), HasSubstr("answer to CONNECT")));
  // It is the same guest when it goes on.
  const auto info = client().ServerInfo({.timeout = kPatience});
  EXPECT_TRUE(info.ok()) << info.status();
}

TEST_F(FrozenGuestTest, LeaseAndPoolOutliveIt) {
  auto pool = StartSpec("num_workers: 2");
  ASSERT_TRUE(pool.has_value());
  Freeze();
  EXPECT_FALSE(pool->Snapshot(kLongerThanKeepalive).ok());
  Thaw();
  const auto collected = (*std::move(pool)).StopAndCollect({.call = {.timeout = kPatience}});
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_TRUE(IsReattachedInTime());
  for (const v1::WorkerReport& report : collected->reports) ExpectSound(report);
}

TEST(KilledGuestTest, CollectionEndsInWordsAndKeepsTheReportsThatCame) {
  const absl::Status transport = CheckTransport(kFlags);
  if (!transport.ok()) GTEST_SKIP() << "no vsock device can be had: " << transport;
  absl::StatusOr<std::unique_ptr<vm::Guest>> guest = BootGuest(kFlags);
  ASSERT_TRUE(guest.ok()) << guest.status();
  auto client = Client::Connect((*guest)->address(), {.connect_timeout = absl::Minutes(1)});
  ASSERT_TRUE(client.ok()) << client.status();
  auto pool = client->Spawn(ParseSpec(kManySamples));
  ASSERT_TRUE(pool.ok()) << pool.status();
  ASSERT_TRUE(pool->Start().ok());
  GuestTest::WaitUntil(*pool, HaveManySamples);
  // Reports of which none fits into the buffers on the way: the guest has not sent the last when the first is here.
  std::vector<v1::WorkerReport> reports;
  const auto summary = std::move(*pool).StopAndCollect(
      [&](v1::WorkerReport&& report) {
        if (reports.empty()) (*guest)->Kill();
        reports.push_back(std::move(report));
      },
      {.call = {.timeout = absl::Seconds(20)}});
  EXPECT_EQ(summary.status().code(), absl::StatusCode::kUnavailable) << summary.status();
  EXPECT_THAT(std::string(summary.status().message()),
              AllOf(HasSubstr("collection of pool"), HasSubstr("of 4 reports")));
  ASSERT_FALSE(reports.empty());
  EXPECT_LT(reports.size(), 4u);
  for (const v1::WorkerReport& report : reports) ExpectSound(report);
  ASSERT_TRUE((*guest)->qemu().WaitEnd(Deadline::After(absl::Minutes(1))).ok());
  EXPECT_EQ((*guest)->FindFailure()->code, vm::kExitGuestLost);
  const std::string directory = (*guest)->directory();
  guest->reset();
  EXPECT_FALSE(std::filesystem::exists(directory));
}

}  // namespace
}  // namespace muster
