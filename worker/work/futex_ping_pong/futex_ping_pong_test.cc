#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

uint64_t Wakes(GroupFixture& group, uint32_t position) {
  return group.record(position).store(arena::kWake).head->total.load();
}

TEST(FutexPingPongTest, PartnersTakeTurnsAndEveryIterationIsOneWake) {
  GroupFixture group("futex_ping_pong { spin_iters: 16 }");
  ASSERT_EQ(group.size(), 2u);
  group.RunAll(1'000);
  for (uint32_t position = 0; position < 2; ++position) {
    const uint64_t iterations = group.meter(position).iterations();
    EXPECT_EQ(Wakes(group, position), iterations);
    EXPECT_GE(group.meter(position).work_units(), 16 * iterations);
    EXPECT_LE(group.meter(position).work_units(), 16 * (iterations + 1));
  }
  const uint64_t a = group.meter(0).iterations();
  const uint64_t b = group.meter(1).iterations();
  EXPECT_LE(a > b ? a - b : b - a, 1u) << "nobody takes two turns in a row";
}

TEST(FutexPingPongTest, AMemberWithoutItsPartnerWaitsUntilTheStop) {
  for (const uint32_t position : {0u, 1u}) {
    GroupFixture group("futex_ping_pong { spin_iters: 1 }");
    group.Start(position);
    EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
    EXPECT_EQ(group.meter(position).iterations(), 0u);
    EXPECT_EQ(Wakes(group, position), 0u) << "a wait that the stop ends is no wake";
  }
}

TEST(FutexPingPongTest, PositionOneDoesNoWorkBeforeItHasTheTurn) {
  GroupFixture group("futex_ping_pong {}");
  group.Start(1);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_EQ(group.meter(1).work_units(), 0u);
}

}  // namespace
}  // namespace muster
