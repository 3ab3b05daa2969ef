#include "worker/arena/settled_samples.h"

#include "gtest/gtest.h"
#include "worker/arena/arena_fixture.h"
#include "worker/arena/fill_report.h"
#include "worker/meter/meter.h"

namespace muster::arena {
namespace {

constexpr WorkerShape kShape = {
    .group_idx = 2, .stream_set = 1u << kWake, .sample_capacity = 4, .migration_capacity = 2};

// More than there is room for.
void Sample(const ArenaFixture& fixture) {
  Meter meter(fixture.Target());
  meter.Begin(1'000, 70);
  for (const uint64_t ns : {5, 7, 6, 9, 100'000}) meter.WakeSample(ns);
  meter.EndIteration();
  fixture.Finish(0, {.stopped_at_ns = 5'000, .completed = 1});
}

TEST(SettledSamplesTest, AreThoseOfTheReportOnceTheWorkerIsNoMore) {
  const ArenaFixture fixture({kShape});
  Sample(fixture);
  for (const Exit not_gone : {Exit::kNone, Exit::kTimedOut, Exit::kStuck, Exit::kWaitFailed}) {
    fixture.arena().host(0).exit = not_gone;
    EXPECT_FALSE(SettledSamplesOf(fixture.daemon(), 0).has_value());
  }
  v1::WorkerReport report;
  FillReport(fixture.daemon(), 0, {}, &report);
  ASSERT_EQ(report.wake_latencies_ns_size(), 4);
  for (const Exit gone : {Exit::kExited, Exit::kSignaled}) {
    fixture.arena().host(0).exit = gone;
    const std::optional<SettledSamples> samples = SettledSamplesOf(fixture.daemon(), 0);
    ASSERT_TRUE(samples.has_value());
    EXPECT_EQ((*samples)[kWake],
              absl::string_view(reinterpret_cast<const char*>(report.wake_latencies_ns().data()), 32));
    EXPECT_TRUE((*samples)[kCost].empty());
    EXPECT_TRUE((*samples)[kTimer].empty());
  }
}

TEST(SettledSamplesTest, AFalseTotalDoesNotReachBeyondTheStore) {
  const ArenaFixture fixture({kShape});
  Sample(fixture);
  fixture.arena().host(0).exit = Exit::kSignaled;
  TakeApart(fixture.arena().bulk(0), kShape).stores[kWake].head->total = ~uint64_t{0};
  EXPECT_EQ((*SettledSamplesOf(fixture.daemon(), 0))[kWake].size(), 4 * sizeof(uint64_t));
}

}  // namespace
}  // namespace muster::arena
