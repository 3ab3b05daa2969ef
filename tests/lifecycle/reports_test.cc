// What comes back: always one report per worker in worker order, with counters that agree with what was seen before.
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/event.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

using ReportsTest = LiveTest;

constexpr char kComposed[] = R"(
    num_workers: 1
    composed { num_workers: 2 work { pipe_io {} } }
    composed { num_workers: 3 work { yield_heavy {} } }
    composed { num_workers: 4 work { futex_fan_out { fan_out: 3 } } }
)";

class ReportOrderTest : public LiveTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Modes, ReportOrderTest,
                         testing::Values("clone_mode: FORK", "clone_mode: THREAD", "pcomm { name: 'container' }"));

TEST_P(ReportOrderTest, ComposedGroupsReportInWorkerOrder) {
  WorkloadHandle handle = MustSpawn(Spec(absl::StrCat(kComposed, GetParam())));
  ASSERT_EQ(handle.workers().size(), 10);
  std::vector<int32_t> tids;
  for (const v1::WorkerInfo& worker : handle.workers()) tids.push_back(worker.tid());
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 10u);
  const std::vector<uint32_t> groups = {0, 1, 1, 2, 2, 2, 3, 3, 3, 3};
  for (uint32_t i = 0; i < 10; ++i) {
    EXPECT_EQ(collected.reports[i].worker_index(), i);
    EXPECT_EQ(collected.reports[i].group_idx(), groups[i]);
    EXPECT_EQ(collected.reports[i].tid(), tids[i]);
    EXPECT_TRUE(collected.reports[i].completed());
    EXPECT_EQ(collected.reports[i].is_messenger(), i == 6);
  }
  EXPECT_EQ(collected.summary.workers(), 10u);
  EXPECT_EQ(collected.summary.sentinels(), 0u);
  ASSERT_EQ(collected.summary.groups_size(), 4);
  EXPECT_EQ(collected.summary.groups(3).work_type(), "FutexFanOut");
}

TEST_F(ReportsTest, SnapshotCountersNeverGoBackAndFinalTotalsAreAtLeastTheLast) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 4 work { mixed {} }"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  std::vector<uint64_t> last(4);
  for (int round = 0; round < 200; ++round) {
    const absl::StatusOr<std::vector<uint64_t>> now = handle.SnapshotIterations();
    ASSERT_TRUE(now.ok()) << now.status();
    for (size_t i = 0; i < last.size(); ++i) EXPECT_GE((*now)[i], last[i]);
    last = *now;
  }
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 4u);
  for (size_t i = 0; i < last.size(); ++i) EXPECT_GE(collected.reports[i].iterations(), last[i]);
}

TEST_F(ReportsTest, WatchDifferencesAddUpToTheFinalTotals) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 3 work { mixed {} }"));
  const std::unique_ptr<Watcher> watcher = handle.OpenWatch(absl::Milliseconds(10), {.timeout = kPatience});
  std::vector<uint64_t> iterations(3), units(3);
  bool final = false;
  absl::Status watched;
  Event watching;
  std::thread reader([&] {
    while (true) {
      const absl::StatusOr<std::optional<v1::WatchUpdate>> update = watcher->Next();
      watched = update.status();
      watching.Set();
      if (!update.ok() || !update->has_value()) return;
      for (size_t i = 0; i < 3; ++i) {
        iterations[i] += (*update)->iterations_delta(i);
        units[i] += (*update)->work_units_delta(i);
      }
      final = (*update)->final();
    }
  });
  EXPECT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 10);
  // A watch that came after the collection would find no pool.
  EXPECT_TRUE(watching.Wait(Deadline::After(kPatience)));
  const CollectedReports collected = MustCollect(std::move(handle));
  reader.join();
  EXPECT_TRUE(watched.ok()) << watched;
  EXPECT_TRUE(final);
  ASSERT_EQ(collected.reports.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(iterations[i], collected.reports[i].iterations());
    EXPECT_EQ(units[i], collected.reports[i].work_units());
  }
}

TEST_F(ReportsTest, EveryFieldOfALiveWorkerIsPlausible) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2 work { pipe_io { burst_iters: 512 } } max_samples: 100"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 500);
  for (const v1::WorkerReport& report : MustCollect(std::move(handle)).reports) {
    SCOPED_TRACE(report.worker_index());
    EXPECT_GT(report.tid(), 0);
    EXPECT_EQ(report.pid(), report.tid());
    // The stop may have come after the last spin and before its exchange.
    EXPECT_GE(report.work_units(), report.iterations() * 512);
    EXPECT_LE(report.work_units(), (report.iterations() + 1) * 512);
    EXPECT_GT(report.cpu_time_ns(), 0u);
    EXPECT_GE(report.wall_time_ns(), report.cpu_time_ns());
    EXPECT_EQ(report.off_cpu_ns(), report.wall_time_ns() - report.cpu_time_ns());
    EXPECT_EQ(report.max_gap_ms(), report.max_gap_ns() / 1'000'000);
    // 512 units a time: a checkpoint every second iteration.
    EXPECT_NEAR(report.checkpoints(), report.iterations() / 2, 2);
    EXPECT_EQ(report.wake_latencies_ns_size(), 100);
    EXPECT_GE(report.wake_sample_total(), 499u);
    EXPECT_EQ(report.wake_histogram().count(), report.wake_sample_total());
    EXPECT_EQ(report.iteration_cost_sample_total(), 0u);
    EXPECT_EQ(report.timer_sample_total(), 0u);
    EXPECT_GE(report.migration_count(), static_cast<uint64_t>(report.migrations_size()));
    EXPECT_GE(report.cpus_used_size(), 1);
    EXPECT_TRUE(report.has_schedstat_run_count());
    EXPECT_GT(report.voluntary_ctxt_switches() + report.involuntary_ctxt_switches(), 0u);
    EXPECT_FALSE(report.numa_pages().empty());
    EXPECT_TRUE(report.has_vmstat_numa_pages_migrated());
    EXPECT_EQ(report.telemetry_error(), "");
    EXPECT_FALSE(report.has_exit_info());
    EXPECT_FALSE(report.has_last_record());
    EXPECT_NE(report.effective_cpus(), "");
    EXPECT_EQ(report.effective_policy(), "SCHED_OTHER nice 0");
    EXPECT_GT(report.stopped_at_ns(), report.first_instruction_at_ns());
  }
}

TEST_F(ReportsTest, CustomFunctionsGetNoTelemetryButTheirOwn) {
  WorkloadHandle handle = MustSpawn(FunctionSpec("behave", "", "num_workers: 1"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 2000);
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 1u);
  const v1::WorkerReport& report = collected.reports[0];
  EXPECT_EQ(report.iterations(), report.work_units());
  EXPECT_TRUE(report.has_kernel_accounting());
  EXPECT_GT(report.kernel_accounting().cpu_time_ns(), 0u);
}

TEST_F(ReportsTest, StreamOnlyWithoutSamplesStillHasHistograms) {
  WorkloadHandle handle = MustSpawn(Spec("num_workers: 2 work { pipe_io {} }"));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 10);
  CollectOptions options;
  options.without_samples = true;
  const absl::StatusOr<CollectedReports> collected = std::move(handle).StopAndCollect(options);
  ASSERT_TRUE(collected.ok()) << collected.status();
  for (const v1::WorkerReport& report : collected->reports) {
    EXPECT_EQ(report.wake_latencies_ns_size(), 0);
    EXPECT_GT(report.wake_histogram().count(), 0u);
  }
}

}  // namespace
}  // namespace muster
