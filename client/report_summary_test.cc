#include "client/report_summary.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "google/protobuf/text_format.h"

namespace muster {
namespace {

v1::WorkerReport Report(const std::string& text) {
  v1::WorkerReport report;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &report)) << text;
  return report;
}

// A worker that did well.
v1::WorkerReport GoodReport(uint32_t index, const std::string& cgroup) {
  v1::WorkerReport report;
  report.set_worker_index(index);
  report.set_completed(true);
  report.set_cgroup_at_start(cgroup);
  report.set_iterations(100);
  report.set_work_units(102400);
  report.set_wall_time_ns(1000);
  report.add_cpus_used(index % 2);
  return report;
}

ReportSummary Summarize(const std::vector<v1::WorkerReport>& reports, const v1::WorkloadSpec& spec = {}) {
  ReportSummarizer summarizer(spec, "p1", "/sys/fs/cgroup/unified/muster/here");
  for (const v1::WorkerReport& report : reports) summarizer.Add(report);
  v1::PoolSummary pool;
  pool.set_workers(reports.size());
  return summarizer.Finish(pool);
}

TEST(ReportSummaryTest, BlockReadsLineForLineAsDocumented) {
  const ReportSummary summary = Summarize(
      {Report("worker_index: 0 completed: true cgroup_at_start: 'muster/here/cg0' iterations: 209600 work_units: 1 "
              "max_gap_ms: 10 max_gap_ns: 10500000 migration_count: 1 cpus_used: [0, 1] wall_time_ns: 100"),
       Report("worker_index: 1 completed: true cgroup_at_start: 'muster/here/cg1' iterations: 189252 work_units: 1 "
              "max_gap_ms: 21 max_gap_ns: 21500000 migration_count: 1 cpus_used: [0, 1] wall_time_ns: 100")});
  EXPECT_EQ(FormatStats(summary),
            "--- stats ---\n"
            "2 workers, 4 cpus, 2 migrations, worst_spread=0.0%, worst_gap=21ms cpus_union=2\n"
            "cg0: workers=1 cpus=2 spread=0.0% gap=10ms migrations=1 iter=209600\n"
            "cg1: workers=1 cpus=2 spread=0.0% gap=21ms migrations=1 iter=189252\n");
  EXPECT_EQ(summary.verdict, Verdict::kGood);
}

// Two Schbench workers, one with a hundred times the samples of the other: the percentiles are those of all samples.
TEST(ReportSummaryTest, SamplesOfAGroupAreMergedByHistogramAndNeverAveraged) {
  ReportSummarizer summarizer({}, "p1", "");
  summarizer.Add(
      Report("worker_index: 0 wall_time_ns: 2000000000 work_units: 3000 iterations: 20 iteration_cost_histogram "
             "{ count: 1000 min_ns: 100 max_ns: 127 bucket_index: [100, 120] bucket_count: [900, 100] }"));
  summarizer.Add(
      Report("worker_index: 1 wall_time_ns: 1000000000 work_units: 500 iterations: 10 iteration_cost_histogram "
             "{ count: 10 min_ns: 1024 max_ns: 1039 bucket_index: 320 bucket_count: 10 }"));
  summarizer.Add(Report("worker_index: 2 group_idx: 1 wall_time_ns: 1000000000 work_units: 7 iterations: 7"));
  v1::PoolSummary pool;
  pool.set_workers(3);
  pool.add_groups()->set_work_type("Schbench");
  pool.add_groups()->set_work_type("SpinWait");
  const ReportSummary summary = summarizer.Finish(pool);
  ASSERT_EQ(summary.groups.size(), 2u);
  EXPECT_EQ(summary.groups[0].cost.PercentileNs(50), 100u);
  EXPECT_EQ(summary.groups[0].cost.PercentileNs(99), 120u) << "an average of both would be near 580";
  EXPECT_EQ(summary.groups[0].cost.PercentileNs(99.9), 1031u);
  EXPECT_DOUBLE_EQ(summary.groups[0].units_per_sec, 2000);
  EXPECT_EQ(FormatSamples(summary),
            "--- samples ---\n"
            "group 0 Schbench: workers=2 units/s=2000.0 iterations/s=20.0\n"
            "  cost: n=1010 p50=0.1us p90=0.1us p99=0.1us p99.9=1.0us max=1.0us\n");
}

TEST(ReportSummaryTest, WithoutSamplesThereIsNoBlockOfThem) {
  EXPECT_EQ(FormatSamples(Summarize({GoodReport(0, "a")})), "");
}

TEST(ReportSummaryTest, SpreadIsTheDistanceOfOffCpuShares) {
  v1::WorkerReport calm = GoodReport(0, "muster/here/a");
  v1::WorkerReport waiting = GoodReport(1, "muster/here/a");
  calm.set_off_cpu_ns(100);
  waiting.set_off_cpu_ns(355);
  const ReportSummary summary = Summarize({calm, waiting});
  EXPECT_DOUBLE_EQ(summary.cgroups[0].spread_percent, 25.5);
  EXPECT_DOUBLE_EQ(summary.worst_spread_percent, 25.5);
}

TEST(ReportSummaryTest, SentinelDoesNotWidenTheSpread) {
  v1::WorkerReport waiting = GoodReport(0, "muster/here/a");
  waiting.set_off_cpu_ns(500);
  const ReportSummary summary = Summarize({waiting, Report("worker_index: 1 exit_info { timed_out {} }")});
  EXPECT_DOUBLE_EQ(summary.worst_spread_percent, 0);
}

TEST(ReportSummaryTest, WorstGapBringsItsCpu) {
  v1::WorkerReport small = GoodReport(0, "muster/here/a");
  small.set_max_gap_ms(5);
  small.set_max_gap_cpu(1);
  v1::WorkerReport large = GoodReport(1, "muster/here/a");
  large.set_max_gap_ms(50);
  large.set_max_gap_cpu(3);
  const CgroupRollUp roll_up = Summarize({large, small}).cgroups[0];
  EXPECT_EQ(roll_up.gap_ms, 50u);
  EXPECT_EQ(roll_up.gap_cpu, 3u);
}

TEST(ReportSummaryTest, CgroupsKeepTheOrderInWhichWorkersMeetThem) {
  const ReportSummary summary =
      Summarize({GoodReport(0, "muster/here/z"), GoodReport(1, "muster/here/a"), GoodReport(2, "muster/here/z")});
  ASSERT_EQ(summary.cgroups.size(), 2u);
  EXPECT_EQ(summary.cgroups[0].name, "z");
  EXPECT_EQ(summary.cgroups[0].workers, 2u);
  EXPECT_EQ(summary.cgroups[1].name, "a");
}

TEST(ReportSummaryTest, NestedCgroupKeepsItsPathAndAForeignOneItsWhole) {
  const ReportSummary summary = Summarize(
      {GoodReport(0, "/muster/here/a/b"), GoodReport(1, "elsewhere/here/a"), GoodReport(2, "muster/heretic/a")});
  EXPECT_EQ(summary.cgroups[0].name, "a/b");
  EXPECT_EQ(summary.cgroups[1].name, "elsewhere/here/a");
  EXPECT_EQ(summary.cgroups[2].name, "muster/heretic/a");
}

TEST(ReportSummaryTest, PoolsOwnCgroupHasThePoolsName) {
  EXPECT_EQ(Summarize({GoodReport(0, "/muster/here/.pool-p1")}).cgroups[0].name, "p1");
}

TEST(ReportSummaryTest, SentinelStandsWhereItsGroupWasAskedToBe) {
  v1::WorkloadSpec spec;
  spec.set_cgroup("cg0");
  spec.add_composed()->set_cgroup("cg1");
  const ReportSummary summary = Summarize({Report("worker_index: 0 exit_info { signaled { signal: 9 } }"),
                                           Report("worker_index: 1 group_idx: 1 exit_info { timed_out {} }"),
                                           Report("worker_index: 2 group_idx: 7 exit_info { timed_out {} }")},
                                          spec);
  EXPECT_EQ(summary.cgroups[0].name, "cg0");
  EXPECT_EQ(summary.cgroups[1].name, "cg1");
  EXPECT_EQ(summary.cgroups[2].name, "p1");
}

TEST(ReportSummaryTest, VmstatIsFoldedWithTheLargest) {
  v1::WorkerReport one = GoodReport(0, "a");
  v1::WorkerReport two = GoodReport(1, "a");
  EXPECT_FALSE(Summarize({one, two}).vmstat_numa_pages_migrated.has_value());
  one.set_vmstat_numa_pages_migrated(7);
  two.set_vmstat_numa_pages_migrated(5);
  EXPECT_EQ(Summarize({one, two}).vmstat_numa_pages_migrated, 7u);
}

TEST(ReportSummaryTest, OneStarvedWorkerMakesItBadAndIsNamed) {
  const ReportSummary summary =
      Summarize({GoodReport(0, "muster/here/a"), Report("worker_index: 1 exit_info { signaled { signal: 9 } }")});
  EXPECT_EQ(summary.verdict, Verdict::kBad);
  ASSERT_EQ(summary.starved.size(), 1u);
  EXPECT_EQ(summary.starved[0].worker_index, 1u);
  EXPECT_EQ(summary.starved[0].text, "killed by signal 9");
}

TEST(ReportSummaryTest, GapThresholdOfTheSpecDecides) {
  v1::WorkerReport report = GoodReport(0, "a");
  report.set_max_gap_ns(1'500'000'000);
  EXPECT_EQ(Summarize({report}).verdict, Verdict::kGood);
  v1::WorkloadSpec strict;
  strict.mutable_gap_threshold()->set_seconds(1);
  EXPECT_EQ(Summarize({report}, strict).verdict, Verdict::kBad);
}

TEST(ReportSummaryTest, MissingReportsCannotBeTold) {
  ReportSummarizer summarizer({}, "p1", "/root");
  summarizer.Add(GoodReport(0, "a"));
  v1::PoolSummary pool;
  pool.set_workers(2);
  const ReportSummary summary = summarizer.Finish(pool);
  EXPECT_EQ(summary.verdict, Verdict::kCannotTell);
  EXPECT_EQ(summary.doubt, "the pool had 2 workers, and 1 reports came");
}

TEST(ReportSummaryTest, NoWorkersAtAllIsNoGoodRun) { EXPECT_EQ(Summarize({}).verdict, Verdict::kCannotTell); }

TEST(ReportSummaryTest, PoolHostThatEndedBadlyCannotBeTold) {
  ReportSummarizer summarizer({}, "p1", "/root");
  summarizer.Add(GoodReport(0, "a"));
  v1::PoolSummary pool;
  pool.set_workers(1);
  pool.set_pool_host_error("killed by signal 9");
  EXPECT_EQ(summarizer.Finish(pool).verdict, Verdict::kCannotTell);
}

TEST(ReportSummaryTest, SoftSetupFailuresAreListedAndChangeNoVerdict) {
  v1::WorkerReport report = GoodReport(0, "a");
  report.set_affinity_error("CPU 9: EINVAL");
  report.mutable_setup_errors()->set_nice_error("EACCES");
  const ReportSummary summary = Summarize({report});
  EXPECT_EQ(summary.verdict, Verdict::kGood);
  ASSERT_EQ(summary.soft_failures.size(), 1u);
  EXPECT_EQ(summary.soft_failures[0].text, "CPU 9: EINVAL; EACCES");
}

}  // namespace
}  // namespace muster
