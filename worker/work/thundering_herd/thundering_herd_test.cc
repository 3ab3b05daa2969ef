#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(ThunderingHerdTest, ARoundIsAnIterationOfTheWaker) {
  GroupFixture group("thundering_herd { waiters: 1 inter_batch_ms: 1 }");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).iterations(), 3u);
  EXPECT_EQ(group.meter(0).work_units(), 3u * 256);
  EXPECT_GE(group.record(0).store(arena::kWake).head->min_ns.load(), 1'000'000u) << "the sample is its own sleep";
}

TEST(ThunderingHerdTest, EveryWaiterWakesInEveryRoundAndCountsNoUnits) {
  GroupFixture group("thundering_herd { waiters: 5 inter_batch_ms: 1 }");
  group.RunAll(20);
  for (uint32_t position = 1; position < 6; ++position) {
    EXPECT_EQ(group.meter(position).work_units(), 0u);
    EXPECT_EQ(group.record(position).store(arena::kWake).head->total.load(), group.meter(position).iterations());
  }
}

TEST(ThunderingHerdTest, AHerdWithoutAWakerAndAWakerThatSleepsEndAtTheStop) {
  GroupFixture group("thundering_herd { waiters: 2 inter_batch_ms: 3600000 }");
  for (uint32_t position = 0; position < 3; ++position) group.Start(position);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
