#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(FutexFanOutTest, AGroupIsOneMessengerAndItsReceivers) {
  GroupFixture group("futex_fan_out { fan_out: 3 }");
  EXPECT_EQ(group.size(), 4u);
  for (uint32_t position = 0; position < 4; ++position) {
    EXPECT_EQ(group.type().IsMessenger({.position = position, .group_size = 4}), position == 0);
  }
}

TEST(FutexFanOutTest, TheMessengerNeverWaitsAndSpinsAfterEachRound) {
  GroupFixture group("futex_fan_out { fan_out: 2 spin_iters: 10 }");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 4u * (10 + 256));
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 0u);
}

TEST(FutexFanOutTest, ReceiversWakeAndEveryWakeIsASample) {
  GroupFixture group("futex_fan_out { fan_out: 3 spin_iters: 10 }");
  group.RunAll(200);
  for (uint32_t position = 1; position < 4; ++position) {
    const uint64_t iterations = group.meter(position).iterations();
    EXPECT_EQ(group.record(position).store(arena::kWake).head->total.load(), iterations);
    EXPECT_GE(group.meter(position).work_units(), iterations * 10);
    EXPECT_LE(group.meter(position).work_units(), iterations * 10 + 10) << "a spin per round, and one before the stop";
  }
}

TEST(FutexFanOutTest, AReceiverWithoutAMessengerWaitsUntilTheStop) {
  GroupFixture group("futex_fan_out { fan_out: 1 spin_iters: 0 }");
  group.Start(1);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_EQ(group.meter(1).iterations(), 0u);
}

}  // namespace
}  // namespace muster
