#include "gtest/gtest.h"
#include "worker/control/spec.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(IpcVarianceTest, AnIterationIsAPeriodOfPairsAndOneCost) {
  GroupFixture group("ipc_variance { hot_iters: 100000 cold_iters: 70000 period_iters: 3 }");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 2u * 3 * 170'000);
  EXPECT_EQ(group.record(0).store(arena::kCost).head->total.load(), 2u);
}

TEST(IpcVarianceTest, APeriodThatTheStopCutsShortHasNoCostButIsCounted) {
  GroupFixture group("ipc_variance { hot_iters: 1000000000 period_iters: 1000 }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_LE(group.meter(0).iterations(), 1u);
  EXPECT_EQ(group.record(0).store(arena::kCost).head->total.load(), 0u);
}

TEST(IpcVarianceTest, AZeroParameterIsOutOfRange) {
  for (const char* work : {"hot_iters: 0", "cold_iters: 0", "period_iters: 0"}) {
    EXPECT_FALSE(CheckWorkRanges(ResolvedWork(std::string("ipc_variance { ") + work + " }")).ok()) << work;
  }
}

}  // namespace
}  // namespace muster
