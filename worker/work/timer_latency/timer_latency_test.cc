#include "base/clock.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(TimerLatencyTest, EveryIterationIsOneSampleAndNoUnit) {
  GroupFixture group("timer_latency { interval_us: 200 }");
  const uint64_t before_ns = MonotonicNs();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_GE(MonotonicNs() - before_ns, 20 * 200'000u);
  EXPECT_EQ(group.meter(0).work_units(), 0u);
  EXPECT_EQ(group.record(0).store(arena::kTimer).head->total.load(), 20u);
}

TEST(TimerLatencyTest, DeadlinesThatALateWakeMissedAreMeasuredAllTheSame) {
  GroupFixture group("timer_latency { interval_us: 1000 }");
  group.RunOnce(0);
  const uint64_t late_until_ns = MonotonicNs() + 20'000'000;
  while (MonotonicNs() < late_until_ns) {
  }
  for (int i = 0; i < 20; ++i) group.RunOnce(0);
  uint64_t very_late = 0;
  for (const uint64_t sample : group.record(0).Samples(arena::kTimer)) very_late += sample > 4'000'000;
  // The deadlines at 1 ms, 2 ms, … were missed by 19 ms, 18 ms, …
  EXPECT_GE(very_late, 14u);
}

TEST(TimerLatencyTest, AnIntervalOfAnHourEndsAtTheStopWithoutASample) {
  GroupFixture group("timer_latency { interval_us: 3600000000 }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_EQ(group.meter(0).iterations(), 0u);
  EXPECT_EQ(group.record(0).store(arena::kTimer).head->total.load(), 0u);
}

}  // namespace
}  // namespace muster
