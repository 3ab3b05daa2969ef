#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(MutexContentionTest, AnIterationSpinsOutsideAndInsideTheLock) {
  GroupFixture group("mutex_contention {}");
  EXPECT_EQ(group.size(), 4u);
  EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.RunOnce(1), StepResult::kContinue) << "the first one has released it";
  EXPECT_EQ(group.meter(0).work_units(), 1280u);
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 0u) << "nobody contended";
}

TEST(MutexContentionTest, ContendersThatHaveToWaitSampleTheirWakes) {
  GroupFixture group("mutex_contention { contenders: 3 hold_iters: 4000 work_iters: 0 }");
  group.RunAll(50);
  uint64_t wakes = 0;
  for (uint32_t position = 0; position < 3; ++position) {
    wakes += group.record(position).store(arena::kWake).head->total.load();
  }
  EXPECT_GT(wakes, 0u);
}

TEST(MutexContentionTest, AHolderThatNeverLetsGoHoldsNoStopUp) {
  GroupFixture group("mutex_contention { contenders: 3 hold_iters: 1000000000 work_iters: 0 }");
  for (uint32_t position = 0; position < 3; ++position) group.Start(position);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
