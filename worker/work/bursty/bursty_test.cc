#include "base/clock.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(BurstyTest, SpinsForTheBurstInWholeBatchesAndSleepsForTheSleep) {
  GroupFixture group("bursty { burst_duration { nanos: 3000000 } sleep_duration { nanos: 5000000 } }");
  const uint64_t before_ns = MonotonicNs();
  EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_GE(MonotonicNs() - before_ns, 8'000'000u);
  EXPECT_GT(group.meter(0).work_units(), 0u);
  EXPECT_EQ(group.meter(0).work_units() % 1024, 0u);
  const std::vector<uint64_t> samples = group.record(0).Samples(arena::kWake);
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_GE(samples[0], 5'000'000u) << "the sample is the whole sleep";
}

TEST(BurstyTest, AZeroBurstOnlySleeps) {
  GroupFixture group("bursty { burst_duration {} sleep_duration { nanos: 1000 } }");
  group.RunOnce(0);
  EXPECT_EQ(group.meter(0).work_units(), 0u);
  EXPECT_EQ(group.meter(0).iterations(), 1u);
}

TEST(BurstyTest, EndsWhileItSpinsOrSleepsForAnHour) {
  for (const char* work : {"bursty { burst_duration {} sleep_duration { seconds: 3600 } }",
                           "bursty { burst_duration { seconds: 3600 } sleep_duration {} }"}) {
    GroupFixture group(work);
    group.Start(0);
    EXPECT_LT(group.StopAllNs(), 1'000'000'000u) << work;
    EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 0u) << "a sleep cut short is no sample";
  }
}

}  // namespace
}  // namespace muster
