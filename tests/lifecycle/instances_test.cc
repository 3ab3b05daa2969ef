// Two daemons on one machine: what happens to one does not touch the other.
#include "client/client.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

class InstancesTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    StartOther();
  }

  void StartOther() {
    TestDaemonOptions options;
    options.name = "b";
    absl::StatusOr<std::unique_ptr<TestDaemon>> other = TestDaemon::Start(options);
    ASSERT_TRUE(other.ok()) << other.status();
    other_ = *std::move(other);
  }

  // Spawns at the first daemon, runs `disturb`, and sees that the first daemon's workers go on as if nothing were.
  void ExpectUndisturbedBy(const std::function<void()>& disturb) {
    WorkloadHandle mine = MustSpawn(Spec("num_workers: 2"));
    ASSERT_TRUE(mine.Start().ok());
    WaitForProgress(mine, 1);
    disturb();
    const uint64_t before = mine.SnapshotIterations()->at(0);
    WaitForProgress(mine, before + 100);
    const CollectedReports collected = MustCollect(std::move(mine));
    ASSERT_EQ(collected.reports.size(), 2u);
    for (const v1::WorkerReport& report : collected.reports) EXPECT_FALSE(report.has_exit_info());
  }

  std::unique_ptr<TestDaemon> other_;
};

TEST_F(InstancesTest, EndingOneLeavesTheOtherAlone) {
  ExpectUndisturbedBy([&] {
    EXPECT_EQ(other_->End(SIGTERM, Deadline::After(kPatience))->exit_code, 0);
    EXPECT_TRUE(other_->WaitUntilNothingIsLeft(Deadline::After(kPatience)).ok());
  });
}

TEST_F(InstancesTest, CrashingOneLeavesTheOtherAlone) {
  ExpectUndisturbedBy([&] {
    absl::StatusOr<Client> client = Client::Connect(other_->address());
    ASSERT_TRUE(client.ok()) << client.status();
    absl::StatusOr<WorkloadHandle> theirs = client->Spawn(Spec("num_workers: 2"));
    ASSERT_TRUE(theirs.ok()) << theirs.status();
    EXPECT_EQ(other_->End(SIGKILL, Deadline::After(kPatience))->signal, SIGKILL);
    const absl::Status gone = other_->WaitUntilNothingIsLeft(Deadline::After(absl::Seconds(2)));
    EXPECT_TRUE(gone.ok()) << gone;
  });
}

TEST_F(InstancesTest, RestartingOneLeavesTheOtherAlone) {
  ExpectUndisturbedBy([&] {
    EXPECT_TRUE(other_->End(SIGTERM, Deadline::After(kPatience)).ok());
    other_.reset();
    StartOther();
  });
}

TEST_F(InstancesTest, ASecondDaemonOfOneInstanceIsRefused) {
  TestDaemonOptions same;
  same.flags = {"--instance=" + daemon_->instance()};
  EXPECT_FALSE(TestDaemon::Start(same).ok());
  ExpectUndisturbedBy([] {});
}

}  // namespace
}  // namespace muster
