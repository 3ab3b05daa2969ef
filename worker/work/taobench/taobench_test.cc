#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

namespace muster {
namespace {

struct Totals {
  uint64_t lookups;
  uint64_t misses;
};

Totals RunFor(GroupFixture& group, uint64_t ticks) {
  group.RunAll(ticks);
  EXPECT_EQ(group.record(0).store(arena::kCost).head->total.load(), group.meter(0).work_units());
  return {group.meter(0).work_units(), group.record(0).store(arena::kWake).head->total.load()};
}

TEST(TaobenchTest, HitsAsOftenAsItWasAskedTo) {
  GroupFixture group(
      "taobench { client_threads: 2 slow_threads: 2 cache_capacity_mib: 4 target_hit_pct: 80 slow_path_sleep_us: 0 }");
  const Totals totals = RunFor(group, 5);
  ASSERT_GT(totals.lookups, 500u);
  EXPECT_NEAR(100.0 * static_cast<double>(totals.lookups - totals.misses) / static_cast<double>(totals.lookups), 80, 8);
}

TEST(TaobenchTest, AMissWaitsForTheSlowPath) {
  GroupFixture group(
      "taobench { client_threads: 1 cache_capacity_mib: 1 target_hit_pct: 50 slow_path_sleep_us: 3000 }");
  const Totals totals = RunFor(group, 3);
  EXPECT_GT(totals.misses, 5u);
  EXPECT_GE(group.record(0).store(arena::kWake).head->min_ns.load(), 3'000'000u);
  EXPECT_LT(group.record(0).store(arena::kCost).head->min_ns.load(), 3'000'000u) << "a hit does not";
}

TEST(TaobenchTest, ATailOfTheSlowPathMakesSomeMissesMuchLater) {
  GroupFixture group(
      "taobench { client_threads: 8 slow_threads: 8 cache_capacity_mib: 1 target_hit_pct: 1 slow_path_sleep_us: 100 "
      "slow_path_p99_us: 200000 }");
  RunFor(group, 10);
  EXPECT_GE(group.record(0).store(arena::kWake).head->min_ns.load(), 100'000u);
  // Of some thousand misses about 30 sleep for 100 ms and longer.
  EXPECT_GE(group.record(0).store(arena::kWake).head->max_ns.load(), 100'000'000u);
}

TEST(TaobenchTest, ATailThatIsNotAboveTheLeastSleepIsRefused) {
  const WorkType& type = *FindWorkType(v1::Work::kTaobench);
  EXPECT_TRUE(type.Validate(ResolvedWork("taobench { slow_path_sleep_us: 0 }")).ok());
  EXPECT_TRUE(type.Validate(ResolvedWork("taobench { slow_path_sleep_us: 100 slow_path_p99_us: 101 }")).ok());
  EXPECT_EQ(
      type.Validate(ResolvedWork("taobench { slow_path_sleep_us: 100 slow_path_p99_us: 100 }")).message(),
      "slow_path_p99_us: 100 goes with a slow_path_sleep_us from 1 to 99, the least sleep, and not with 100; use 0 for "
      "sleeps that are all alike");
  EXPECT_FALSE(type.Validate(ResolvedWork("taobench { slow_path_sleep_us: 0 slow_path_p99_us: 100 }")).ok());
}

TEST(TaobenchTest, AnArrivalRateIsKeptAndLatenessIsCounted) {
  GroupFixture group(
      "taobench { client_threads: 1 cache_capacity_mib: 1 target_hit_pct: 1 slow_path_sleep_us: 20000 arrival_rate: "
      "1000 }");
  RunFor(group, 3);
  // Served one by one at 50 a second, the n-th lookup is about n * 19 ms late.
  EXPECT_GT(group.record(0).store(arena::kCost).head->max_ns.load(), 60'000'000u);
  GroupFixture easy(
      "taobench { client_threads: 1 cache_capacity_mib: 1 target_hit_pct: 99 slow_path_sleep_us: 0 arrival_rate: 200 "
      "}");
  EXPECT_LE(RunFor(easy, 3).lookups, 120u);
}

TEST(TaobenchTest, EndsWhileClientsWaitForASlowPathOfASecond) {
  GroupRunOptions options;
  options.work = ResolvedWork("taobench { cache_capacity_mib: 1 target_hit_pct: 1 slow_path_sleep_us: 1000000 }");
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE((*run)->WaitForIterations(1, absl::Seconds(5)));
  const absl::Status stopped = (*run)->Stop(absl::Seconds(1) + absl::Milliseconds(100));
  ASSERT_TRUE(stopped.ok()) << stopped;
}

}  // namespace
}  // namespace muster
