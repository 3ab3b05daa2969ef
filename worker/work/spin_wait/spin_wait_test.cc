#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(SpinWaitTest, OneIterationIs1024UnitsAndACheckpoint) {
  GroupFixture group("spin_wait {}");
  ASSERT_EQ(group.size(), 1u);
  for (uint64_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
    EXPECT_EQ(group.meter(0).work_units(), i * 1024);
    EXPECT_EQ(group.record(0).core().checkpoints, i);
  }
}

TEST(SpinWaitTest, AnIterationThatAStopCutsShortDoesNotCount) {
  GroupFixture group("spin_wait {}");
  group.StopAllNs();
  EXPECT_EQ(group.RunOnce(0), StepResult::kAbandon);
  EXPECT_EQ(group.meter(0).iterations(), 0u);
  EXPECT_LT(group.meter(0).work_units(), 1024u);
}

TEST(SpinWaitTest, RunsUntilTheStop) { GroupFixture("spin_wait {}").RunAll(10); }

}  // namespace
}  // namespace muster
