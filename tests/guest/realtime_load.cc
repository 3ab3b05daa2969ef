#include "tests/guest/realtime_load.h"

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/guest/sound_report.h"

namespace muster {
namespace {

constexpr int kRounds = 5;
constexpr absl::Duration kPromise = absl::Seconds(1);

}  // namespace

void RealTimeLoadTest::SetUp() {
  GuestTest::SetUp();
  if (HasFatalFailure() || IsSkipped()) return;
  if (!GetParam().empty()) RunProgram(absl::StrCat("path: '", GetParam(), "'"));
  const auto info = client().ServerInfo();
  ASSERT_TRUE(info.ok()) << info.status();
  pool_ = StartSpec(
      OneOnEachCpu(info->topology().cpus_online(), "work { spin_wait {} } sched_policy { fifo { priority: 50 } }"));
  ASSERT_TRUE(pool_.has_value());
  WaitUntil(*pool_, AllWorked);
}

void RealTimeLoadTest::TearDown() {
  if (pool_.has_value()) {
    const auto collected = (*std::exchange(pool_, std::nullopt)).StopAndCollect();
    EXPECT_TRUE(collected.ok()) << collected.status();
    for (const v1::WorkerReport& report : collected.ok() ? collected->reports : std::vector<v1::WorkerReport>()) {
      ExpectSound(report);
      EXPECT_EQ(report.effective_policy(), "SCHED_FIFO 50");
      // Together they had the one thread of this machine that all the guest's CPUs share.
      EXPECT_GT(CpuShare(report), 0.1);
    }
  }
  GuestTest::TearDown();
}

TEST_P(RealTimeLoadTest, StartSnapshotStopAndDropAnswerWithinASecondOfGuestTime) {
  absl::Duration start, snapshot, stop, drop;
  // The longest of all rounds.
  const auto time = [](absl::Duration* longest, auto call) {
    const absl::Duration before = GuestTime();
    const absl::Status status = call();
    *longest = std::max(*longest, GuestTime() - before);
    EXPECT_TRUE(status.ok()) << status;
  };
  const v1::WorkloadSpec spec = ParseSpec("sched_policy { fifo { priority: 51 } } work { bursty {} }");
  for (int round = 0; round < kRounds; ++round) {
    auto stopped = client().Spawn(spec);
    auto dropped = client().Spawn(spec);
    ASSERT_TRUE(stopped.ok() && dropped.ok()) << stopped.status() << dropped.status();
    time(&start, [&] { return stopped->Start(); });
    time(&snapshot, [&] { return pool_->Snapshot().status(); });
    // One call: the handle's own would also confirm and drop.
    time(&stop, [&] { return stopped->remote().Collect({}, [](v1::WorkerReport&&) {}).status(); });
    time(&drop, [&] { return std::move(*dropped).Drop(); });
  }
  for (const auto& [name, longest] :
       {std::pair("start", start), {"snapshot", snapshot}, {"stop", stop}, {"drop", drop}}) {
    std::cerr << name << ": " << longest << "\n";
    EXPECT_LE(longest, kPromise) << name;
  }
}

TEST_P(RealTimeLoadTest, KeepaliveHolds) {
  // So much time of the guest's, however long this machine takes to give it.
  RunFor(*pool_, 2 * kPatientKeepalive);
  EXPECT_EQ(reattached(), 0);
  EXPECT_TRUE(client().lease_status().ok()) << client().lease_status();
}

}  // namespace muster
