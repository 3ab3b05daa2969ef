#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(CacheYieldTest, AnIterationIs1024AccessesAndOneTimedYield) {
  GroupFixture group("cache_yield {}");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 4u * 1024);
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 4u);
}

TEST(CacheYieldTest, WithoutABufferItCompletesAtOnce) {
  GroupFixture group("cache_yield { size_kib: 0 }");
  EXPECT_EQ(group.RunOnce(0), StepResult::kAbandon);
}

}  // namespace
}  // namespace muster
