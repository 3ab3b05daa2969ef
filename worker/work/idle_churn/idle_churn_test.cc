#include <sys/prctl.h>

#include <thread>

#include "base/clock.h"
#include "gtest/gtest.h"
#include "worker/control/spec.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(IdleChurnTest, TheSampleIsWhatTheSleepTookBeyondWhatWasAsked) {
  GroupFixture group("idle_churn { burst_duration { nanos: 100000 } sleep_duration { nanos: 20000000 } }");
  const uint64_t before_ns = MonotonicNs();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_GE(MonotonicNs() - before_ns, 60'000'000u);
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 3u);
  EXPECT_LT(group.record(0).store(arena::kWake).head->min_ns.load(), 20'000'000u);
  EXPECT_EQ(group.meter(0).work_units() % 256, 0u);
}

TEST(IdleChurnTest, PreciseTimingSetsTheTimerSlack) {
  std::thread([] {
    GroupFixture coarse("idle_churn { burst_duration { nanos: 1 } sleep_duration { nanos: 1 } }");
    coarse.RunOnce(0);
    EXPECT_GT(prctl(PR_GET_TIMERSLACK), 1);
    GroupFixture precise("idle_churn { burst_duration { nanos: 1 } sleep_duration { nanos: 1 } precise_timing: true }");
    precise.RunOnce(0);
    EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 1);
  }).join();
}

TEST(IdleChurnTest, AZeroBurstOrSleepIsOutOfRange) {
  for (const char* work : {"idle_churn { burst_duration {} }", "idle_churn { sleep_duration {} }"}) {
    EXPECT_EQ(CheckWorkRanges(ResolvedWork(work)).code(), absl::StatusCode::kInvalidArgument) << work;
  }
}

}  // namespace
}  // namespace muster
