#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(MixedTest, AnIterationIs1024UnitsWithoutASample) {
  GroupFixture group("mixed {}");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 5u * 1024);
  EXPECT_EQ(group.type().Streams(group.work()), kNoSamples);
}

}  // namespace
}  // namespace muster
