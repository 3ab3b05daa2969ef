#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(FanOutComputeTest, ReceiversCountTheirMultiplicationsAndOneWakeEach) {
  GroupFixture group("fan_out_compute { fan_out: 2 cache_footprint_kib: 4 operations: 3 sleep_usec: 0 }");
  EXPECT_TRUE(group.type().IsMessenger({.position = 0}));
  group.RunAll(50);
  for (uint32_t position = 1; position < 3; ++position) {
    const uint64_t iterations = group.meter(position).iterations();
    EXPECT_GE(group.meter(position).work_units(), iterations * 3);
    EXPECT_GE(group.record(position).store(arena::kWake).head->total.load(), iterations);
  }
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 0u);
}

TEST(FanOutComputeTest, TheMessengerWakesAndSpinsWithoutEverWaiting) {
  GroupFixture group("fan_out_compute { fan_out: 1 cache_footprint_kib: 1 }");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 10u * 256);
}

TEST(FanOutComputeTest, AReceiverWithoutAMessengerAndALongThinkEndAtTheStop) {
  {
    GroupFixture group("fan_out_compute { fan_out: 1 }");
    group.Start(1);
    EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
    EXPECT_EQ(group.meter(1).iterations(), 0u);
  }
  GroupFixture group("fan_out_compute { fan_out: 1 cache_footprint_kib: 65536 sleep_usec: 10000000 }");
  group.Start(0);
  group.Start(1);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
