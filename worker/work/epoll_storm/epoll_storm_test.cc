#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

namespace muster {
namespace {

TEST(EpollStormTest, ProcessesShareTheEventsAsThreadsDo) {
  for (const bool threads : {false, true}) {
    GroupRunOptions options;
    options.work = ResolvedWork("epoll_storm { producers: 2 consumers: 3 }");
    options.threads = threads;
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_TRUE((*run)->WaitForIterations(20, absl::Seconds(10)));
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
    for (uint32_t i = 0; i < 2; ++i) {
      EXPECT_GE((*run)->result(i).work_units, (*run)->result(i).iterations * 32);
      EXPECT_LE((*run)->result(i).work_units, ((*run)->result(i).iterations + 1) * 32);
    }
    for (uint32_t i = 0; i < 5; ++i) {
      EXPECT_EQ((*run)->result(i).samples[arena::kWake] > 0, i >= 2) << "consumers sample, producers do not";
    }
  }
}

TEST(EpollStormTest, AConsumerThatLostTheRaceDoesNotBlockInItsRead) {
  GroupFixture group("epoll_storm { producers: 1 consumers: 2 pause_us: 0 }");
  group.RunOnce(0);
  EXPECT_EQ(group.RunOnce(1), StepResult::kContinue) << "takes all of the burst";
  group.Start(2);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_EQ(group.meter(2).iterations(), 0u);
}

}  // namespace
}  // namespace muster
