#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

namespace muster {
namespace {

TEST(SchbenchTest, EveryRequestHasALatencyAndAWake) {
  GroupFixture group(
      "schbench { message_threads: 2 worker_threads: 2 cache_footprint_kib: 4 operations: 1 sleep_usec: 10 }");
  group.RunAll(2);
  EXPECT_GT(group.meter(0).work_units(), 20u);
  const uint64_t requests = group.meter(0).work_units();
  EXPECT_EQ(group.record(0).store(arena::kCost).head->total.load(), requests);
  EXPECT_GE(group.record(0).store(arena::kWake).head->total.load() + 4, requests);
  EXPECT_GE(group.record(0).store(arena::kCost).head->min_ns.load(), 10'000u) << "the think time is part of it";
}

TEST(SchbenchTest, ARequestRateIsKept) {
  GroupFixture group(
      "schbench { worker_threads: 4 cache_footprint_kib: 1 operations: 0 sleep_usec: 0 requests_per_sec: 200 }");
  group.RunAll(3);
  EXPECT_LE(group.meter(0).work_units(), 100u);
  EXPECT_GE(group.meter(0).work_units(), 20u);
}

// Without the control the four seconds would see 600 requests; the load itself keeps its CPUs busier than 1 percent, so
// the rate goes down to 45, 14, 4.
TEST(SchbenchTest, AutoRpsTakesTheRateDownToTheTarget) {
  GroupFixture group("schbench { worker_threads: 2 requests_per_sec: 150 auto_rps: 1 }");
  group.RunAll(40);
  EXPECT_GT(group.meter(0).work_units(), 0u);
  EXPECT_LE(group.meter(0).work_units(), 400u);
}

TEST(SchbenchTest, AutoRpsBeginsWithTenRequestsPerSecond) {
  GroupFixture group("schbench { worker_threads: 2 cache_footprint_kib: 1 sleep_usec: 0 auto_rps: 100 }");
  group.RunAll(10);
  EXPECT_GT(group.meter(0).work_units(), 0u);
  EXPECT_LE(group.meter(0).work_units(), 60u);
}

TEST(SchbenchTest, ASplitFootprintIsWorkedOnWithAPrivateAndACommonPart) {
  for (const uint32_t percent : {0, 50, 100}) {
    GroupFixture group(absl::StrCat(
        "schbench { worker_threads: 3 cache_footprint_kib: 12 operations: 2 sleep_usec: 10 skip_locking: true ",
        "split_percent: ", percent, " }"));
    group.RunAll(1);
    EXPECT_GT(group.meter(0).work_units(), 0u) << percent;
  }
}

TEST(SchbenchTest, InPipeModeNobodyThinksOrMultiplies) {
  // A request would take hours.
  GroupFixture group(
      "schbench { worker_threads: 2 cache_footprint_kib: 65536 operations: 1000000 sleep_usec: 1000000 "
      "pipe_transfer_bytes: 4096 }");
  group.RunAll(1);
  EXPECT_GT(group.meter(0).work_units(), 20u);
  EXPECT_GE(group.record(0).store(arena::kWake).head->total.load() + 2, group.meter(0).work_units());
}

TEST(SchbenchTest, EndsInTheMiddleOfALongThinkAndOfALongMultiplication) {
  for (const char* work :
       {"schbench { sleep_usec: 1000000 }", "schbench { cache_footprint_kib: 65536 operations: 1000 }",
        "schbench { cache_footprint_kib: 65536 operations: 1000 skip_locking: true }",
        "schbench { cache_footprint_kib: 65536 operations: 1000 split_percent: 0 }",
        "schbench { message_threads: 8 sleep_usec: 0 requests_per_sec: 1 auto_rps: 1 }",
        "schbench { pipe_transfer_bytes: 1048576 }"}) {
    GroupRunOptions options;
    options.work = ResolvedWork(work);
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_TRUE((*run)->WaitForIterations(1, absl::Seconds(5)));
    const absl::Status stopped = (*run)->Stop(absl::Seconds(1) + absl::Milliseconds(100));
    ASSERT_TRUE(stopped.ok()) << work << ": " << stopped;
  }
}

}  // namespace
}  // namespace muster
