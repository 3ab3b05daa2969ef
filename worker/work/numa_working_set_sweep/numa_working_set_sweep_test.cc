#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(NumaWorkingSetSweepTest, TouchesEveryPageAndSleepsThePeriod) {
  GroupFixture group("numa_working_set_sweep { region_kib: 64 sweep_period_ms: 2 }");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 3u * 16);
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 3u);
  EXPECT_GE(group.record(0).store(arena::kWake).head->min_ns.load(), 2'000'000u);
  EXPECT_EQ(group.record(0).control().noop_reason.bytes[0], 0);
}

TEST(NumaWorkingSetSweepTest, MovesToANodeThatExistsAndReportsOneThatDoesNot) {
  GroupFixture good("numa_working_set_sweep { region_kib: 64 sweep_period_ms: 0 target_nodes: 0 }");
  good.RunOnce(0);
  EXPECT_STREQ(good.record(0).control().noop_reason.bytes, "");
  GroupFixture bad("numa_working_set_sweep { region_kib: 64 sweep_period_ms: 0 target_nodes: 1000 }");
  EXPECT_EQ(bad.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(std::string(bad.record(0).control().noop_reason.bytes).substr(0, 18), "mbind to node 1000");
}

TEST(NumaWorkingSetSweepTest, MovesInSlicesBetweenWhichItLooksAtTheStop) {
  GroupFixture whole("numa_working_set_sweep { region_kib: 40000 sweep_period_ms: 0 target_nodes: 0 }");
  EXPECT_EQ(whole.RunOnce(0), StepResult::kContinue);
  EXPECT_STREQ(whole.record(0).control().noop_reason.bytes, "");
  EXPECT_EQ(whole.meter(0).work_units(), 10'000u);
  GroupFixture stopped("numa_working_set_sweep { region_kib: 40000 sweep_period_ms: 0 target_nodes: 1000 }");
  stopped.StopAllNs();
  stopped.RunOnce(0);
  EXPECT_STREQ(stopped.record(0).control().noop_reason.bytes, "") << "nothing was tried";
}

TEST(NumaWorkingSetSweepTest, ALongPeriodEndsAtTheStop) {
  GroupFixture group("numa_working_set_sweep { region_kib: 4 sweep_period_ms: 3600000 }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
