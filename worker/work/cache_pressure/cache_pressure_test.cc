#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(CachePressureTest, AnIterationIs1024Accesses) {
  GroupFixture group("cache_pressure { size_kib: 8 stride: 4096 }");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 3u * 1024);
}

TEST(CachePressureTest, WithoutABufferOrAStrideItCompletesAtOnceWithNoWork) {
  for (const char* work : {"cache_pressure { size_kib: 0 }", "cache_pressure { stride: 0 }"}) {
    GroupFixture group(work);
    EXPECT_EQ(group.RunOnce(0), StepResult::kAbandon) << work;
    EXPECT_EQ(group.meter(0).iterations(), 0u);
    EXPECT_EQ(group.meter(0).work_units(), 0u);
  }
}

}  // namespace
}  // namespace muster
