// Whoever dies, at whatever moment: within two seconds nothing of ours is left.
#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/descriptors_testing.h"
#include "base/spawn_process.h"
#include "client/cgroup_manager.h"
#include "tests/support/held_client_process.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

constexpr char kWorkload[] = "num_workers: 4 cgroup: 'cut' cgroups { name: 'cut' }";

class PowerCutTest : public LiveTest {
 protected:
  void ExpectIdleWithin(absl::Duration bound) {
    const absl::Status idle = daemon_->WaitUntilIdle(Deadline::After(bound));
    EXPECT_TRUE(idle.ok()) << idle;
  }

  void ExpectNothingLeftWithin(absl::Duration bound) {
    const absl::Status gone = daemon_->WaitUntilNothingIsLeft(Deadline::After(bound));
    EXPECT_TRUE(gone.ok()) << gone;
  }

  // A client process of its own whose workers run.
  void StartHeldClient() {
    absl::StatusOr<SpawnedProcess> client = muster::StartHeldClient(daemon_->address(), kWorkload, kPatience);
    ASSERT_TRUE(client.ok()) << client.status();
    held_ = *std::move(client);
    EXPECT_GE(daemon_->WorkerProcesses().size(), 6u);
  }

  void KillHeldClient() {
    const absl::Status killed = muster::KillHeldClient(held_, kPatience);
    EXPECT_TRUE(killed.ok()) << killed;
  }

  SpawnedProcess held_;
};

TEST_F(PowerCutTest, HandleDestroyed) {
  const int descriptors = CountDescriptors(daemon_->pid());
  {
    WorkloadHandle handle = MustSpawn(Spec(kWorkload));
    ASSERT_TRUE(handle.Start().ok());
    WaitForProgress(handle, 1);
  }
  ExpectIdleWithin(absl::Seconds(2));
  EXPECT_LE(CountDescriptors(daemon_->pid()), descriptors);
}

TEST_F(PowerCutTest, ClientKilled) {
  StartHeldClient();
  KillHeldClient();
  // The grace time of 200 ms, then two seconds.
  ExpectIdleWithin(absl::Milliseconds(2200));
}

TEST_F(PowerCutTest, ClientFrozenPastTtlAndGrace) {
  StartHeldClient();
  ASSERT_TRUE(held_.pidfd.Signal(SIGSTOP).ok());
  // TTL (keepalive time and timeout, 1 s each), grace (200 ms), then two seconds; keepalive pings go out on their own
  // beat.
  ExpectIdleWithin(absl::Seconds(2 + 1 + 2) + absl::Milliseconds(200));
  KillHeldClient();
}

TEST_F(PowerCutTest, DaemonTerminated) {
  WorkloadHandle handle = MustSpawn(Spec(kWorkload));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  const uint64_t began = MonotonicNs();
  const absl::StatusOr<ProcessEnd> end = daemon_->End(SIGTERM, Deadline::After(kPatience));
  daemon_ended_ = true;
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 0);
  ExpectNothingLeftWithin(absl::Seconds(2) -
                          absl::Nanoseconds(std::min<uint64_t>(MonotonicNs() - began, 1'000'000'000)));
}

// The daemon killed in each state of a pool.
enum class Moment { kIdle, kReady, kStarted, kCollected };

class DaemonKilledTest : public PowerCutTest, public testing::WithParamInterface<Moment> {};

TEST_P(DaemonKilledTest, NothingIsLeftWithinTwoSeconds) {
  std::optional<WorkloadHandle> handle;
  CgroupManager cgroups(*client_);
  v1::CgroupSpec kept;
  kept.set_name("kept");
  ASSERT_TRUE(cgroups.Create(kept, CgroupLifetime::kKept).ok());
  if (GetParam() >= Moment::kReady) handle.emplace(MustSpawn(Spec(kWorkload)));
  if (GetParam() >= Moment::kStarted) {
    ASSERT_TRUE(handle->Start().ok());
    WaitForProgress(*handle, 1);
  }
  if (GetParam() >= Moment::kCollected) MustCollect(*std::move(handle));
  ASSERT_TRUE(daemon_->End(SIGKILL, Deadline::After(kPatience)).ok());
  daemon_ended_ = true;
  ExpectNothingLeftWithin(absl::Seconds(2));
}

INSTANTIATE_TEST_SUITE_P(Moments, DaemonKilledTest,
                         testing::Values(Moment::kIdle, Moment::kReady, Moment::kStarted, Moment::kCollected));

TEST_F(PowerCutTest, DaemonKilledWithAGrandchildThatLeftItsGroup) {
  WorkloadHandle handle = MustSpawn(FunctionSpec("grandchild_away", "0", "num_workers: 2"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 5000);
  ASSERT_TRUE(daemon_->End(SIGKILL, Deadline::After(kPatience)).ok());
  daemon_ended_ = true;
  ExpectNothingLeftWithin(absl::Seconds(2));
}

TEST_F(PowerCutTest, WorkersKilledFromOutsideAreReportedAndTheRestIsDropped) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 4"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  ASSERT_EQ(kill(handle.workers()[2].pid(), SIGKILL), 0);
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 4u);
  EXPECT_EQ(collected.reports[2].exit_info().signaled().signal(), SIGKILL);
  EXPECT_EQ(collected.summary.sentinels(), 1u);
  ExpectIdleWithin(absl::Seconds(2));
}

}  // namespace
}  // namespace muster
