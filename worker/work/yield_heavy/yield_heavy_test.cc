#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(YieldHeavyTest, AnIterationIsOneUnitAndEvery32ndYieldIsTimed) {
  GroupFixture group("yield_heavy {}");
  for (int i = 0; i < 31; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 0u);
  for (int i = 31; i < 96; ++i) group.RunOnce(0);
  EXPECT_EQ(group.meter(0).work_units(), 96u);
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 3u);
}

}  // namespace
}  // namespace muster
