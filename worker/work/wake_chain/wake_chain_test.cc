#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(WakeChainTest, TheTokenVisitsTheStagesInTurn) {
  for (const char* work : {"wake_chain { depth: 3 work_per_hop { nanos: 1000 } }",
                           "wake_chain { depth: 3 wake: FUTEX work_per_hop { nanos: 1000 } }"}) {
    GroupFixture group(work);
    ASSERT_EQ(group.size(), 3u);
    group.RunAll(100);
    for (uint32_t position = 0; position < 3; ++position) {
      const uint64_t iterations = group.meter(position).iterations();
      const uint64_t before = group.meter((position + 2) % 3).iterations();
      EXPECT_LE(iterations > before ? iterations - before : before - iterations, 1u) << work;
      EXPECT_EQ(group.meter(position).work_units() % 256, 0u);
      EXPECT_GE(group.record(position).store(arena::kWake).head->total.load(), iterations);
    }
  }
}

TEST(WakeChainTest, AStageWithoutItsPredecessorWaitsUntilTheStop) {
  for (const char* work : {"wake_chain { depth: 2 }", "wake_chain { depth: 2 wake: FUTEX }"}) {
    GroupFixture group(work);
    group.Start(1);
    EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
    EXPECT_EQ(group.meter(1).iterations(), 0u);
  }
}

TEST(WakeChainTest, ARingOfPipesNeedsTwoStagesAndOneOfAFutexDoesNot) {
  const WorkType& type = *FindWorkType(v1::Work::kWakeChain);
  const absl::Status one_pipe = type.Validate(ResolvedWork("wake_chain { depth: 1 }"));
  EXPECT_EQ(one_pipe.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(one_pipe.message().substr(0, 6), "depth:");
  EXPECT_TRUE(type.Validate(ResolvedWork("wake_chain { depth: 1 wake: FUTEX }")).ok());
  GroupFixture alone("wake_chain { depth: 1 wake: FUTEX work_per_hop {} }");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(alone.RunOnce(0), StepResult::kContinue);
}

}  // namespace
}  // namespace muster
