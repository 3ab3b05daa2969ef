#include "worker/arena/fill_report.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/arena/arena_fixture.h"
#include "worker/arena/histogram.h"
#include "worker/arena/text.h"
#include "worker/meter/meter.h"

namespace muster::arena {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using v1::WorkerReport;
using Work = ReportOptions::Work;

constexpr WorkerShape kShape = {
    .group_idx = 2, .stream_set = 1u << kWake, .sample_capacity = 4, .migration_capacity = 2};

WorkerReport ReportOf(const ArenaFixture& fixture, const ReportOptions& options = {}, uint32_t worker = 0) {
  WorkerReport report;
  FillReport(fixture.daemon(), worker, options, &report);
  return report;
}

// A worker that began on a far CPU at 1000 ns, has migrated, sampled and counted, and is in its loop.
void Work1024(const ArenaFixture& fixture) {
  fixture.arena().header().released_at_ns = 900;
  fixture.arena().host(0).pid = 40;
  fixture.arena().host(0).tid = 41;
  fixture.arena().live(0).setups = 3;
  Evidence& evidence = fixture.control().evidence;
  evidence.first_instruction_at_ns = 950;
  evidence.started_at_ns = 1'000;
  evidence.cpu = 70;
  evidence.tid = 42;
  evidence.is_messenger = 1;
  evidence.effective_cpus[0] = 0b1011;
  evidence.effective_cpus[1] = 1;
  SetText(&evidence.cgroup, "/muster/i/cg0");
  SetText(&evidence.policy, "SCHED_OTHER nice 0");
  SetText(&evidence.mem_policy, "bind:0");
  fixture.control().evidence_ready = 1;
  Meter meter(fixture.Target());
  meter.Begin(1'000, 70);
  for (const uint64_t ns : {5, 7, 6, 9, 100'000}) meter.WakeSample(ns);
  meter.AddUnits(1'024);
  meter.EndIteration();
  meter.SetNoopReason("no reason");
  meter.SetSetupError(kSetAffinity, "a");
  meter.SetSetupError(kSetPolicy, "p");
  meter.SetSetupError(kSetNice, "n");
}

const Final kFinal = {.stopped_at_ns = 5'000,
                      .cpu_time_ns = 3'000,
                      .wall_time_ns = 4'000,
                      .measured = kSchedstat | kSwitches | kVmstat | kNumaPages,
                      .schedstat_cpu_ns = 1,
                      .schedstat_run_delay_ns = 2,
                      .schedstat_run_count = 3,
                      .voluntary_switches = 4,
                      .involuntary_switches = 5,
                      .vmstat_numa_pages_migrated = 6,
                      .numa_pages = {10, 0, 12},
                      .cpu = 1,
                      .completed = 1};

TEST(LiveReportTest, HasIdentityCountersAndSamples) {
  const ArenaFixture fixture({kShape});
  Work1024(fixture);
  fixture.Finish(0, kFinal);
  const WorkerReport report = ReportOf(fixture);
  EXPECT_EQ(report.worker_index(), 0u);
  EXPECT_EQ(report.group_idx(), 2u);
  EXPECT_EQ(report.pid(), 40);
  EXPECT_EQ(report.tid(), 42);
  EXPECT_TRUE(report.is_messenger());
  EXPECT_EQ(report.work_units(), 1'024u);
  EXPECT_EQ(report.iterations(), 1u);
  EXPECT_EQ(report.checkpoints(), 1u);
  EXPECT_EQ(report.migration_count(), 1u);
  ASSERT_EQ(report.migrations_size(), 1);
  EXPECT_EQ(report.migrations(0).from_cpu(), 70u);
  EXPECT_THAT(report.cpus_used(), ElementsAre(report.migrations(0).to_cpu(), 70u));
  EXPECT_EQ(report.max_gap_ms(), report.max_gap_ns() / 1'000'000);
  EXPECT_EQ(report.max_gap_cpu(), 70u);
  EXPECT_EQ(report.wake_sample_total(), 5u);
  EXPECT_EQ(report.wake_latencies_ns_size(), 4);
  EXPECT_EQ(report.wake_histogram().count(), 5u);
  EXPECT_EQ(report.wake_histogram().min_ns(), 5u);
  EXPECT_EQ(report.wake_histogram().max_ns(), 100'000u);
  EXPECT_EQ(report.wake_histogram().sum_ns(), 100'027);
  EXPECT_THAT(report.wake_histogram().bucket_index(), ElementsAre(5, 6, 7, 9, BucketOf(100'000)));
  EXPECT_THAT(report.wake_histogram().bucket_count(), ElementsAre(1, 1, 1, 1, 1));
  EXPECT_FALSE(report.has_timer_histogram()) << "the type takes no such samples";
}

TEST(LiveReportTest, HasTimesAndMeasurements) {
  const ArenaFixture fixture({kShape});
  Work1024(fixture);
  fixture.Finish(0, kFinal);
  const WorkerReport report = ReportOf(fixture);
  EXPECT_TRUE(report.completed());
  EXPECT_FALSE(report.has_exit_info());
  EXPECT_FALSE(report.has_last_record());
  EXPECT_FALSE(report.has_kernel_accounting());
  EXPECT_EQ(report.cpu_time_ns(), 3'000u);
  EXPECT_EQ(report.wall_time_ns(), 4'000u);
  EXPECT_EQ(report.off_cpu_ns(), 1'000u);
  EXPECT_EQ(report.schedstat_cpu_time_ns(), 1u);
  EXPECT_EQ(report.schedstat_run_delay_ns(), 2u);
  EXPECT_EQ(report.schedstat_run_count(), 3u);
  EXPECT_EQ(report.voluntary_ctxt_switches(), 4u);
  EXPECT_EQ(report.involuntary_ctxt_switches(), 5u);
  EXPECT_EQ(report.vmstat_numa_pages_migrated(), 6u);
  EXPECT_EQ(report.numa_pages_size(), 2);
  EXPECT_EQ(report.numa_pages().at(2), 12u);
}

TEST(LiveReportTest, HasItsEvidenceAndItsSetup) {
  const ArenaFixture fixture({kShape});
  Work1024(fixture);
  Final final = kFinal;
  SetText(&final.cgroup, "/elsewhere");
  fixture.Finish(0, final);
  const WorkerReport report = ReportOf(fixture);
  EXPECT_EQ(report.released_at_ns(), 900u);
  EXPECT_EQ(report.first_instruction_at_ns(), 950u);
  EXPECT_EQ(report.stopped_at_ns(), 5'000u);
  EXPECT_EQ(report.cgroup_at_start(), "/muster/i/cg0");
  EXPECT_EQ(report.cgroup_at_end(), "/elsewhere");
  EXPECT_EQ(report.cpu_at_start(), 70u);
  EXPECT_EQ(report.cpu_at_end(), 1u);
  EXPECT_EQ(report.effective_cpus(), "0-1,3,64");
  EXPECT_EQ(report.effective_policy(), "SCHED_OTHER nice 0");
  EXPECT_EQ(report.effective_mem_policy(), "bind:0");
  EXPECT_EQ(report.setups(), 3u);
  EXPECT_EQ(report.affinity_error(), "a");
  EXPECT_EQ(report.sched_policy_error(), "p");
  EXPECT_EQ(report.setup_errors().nice_error(), "n");
  EXPECT_EQ(report.setup_errors().uid_error(), "");
  EXPECT_EQ(report.noop_reason(), "no reason");
}

TEST(LiveReportTest, WhatWasNotMeasuredIsAbsentNotZero) {
  const ArenaFixture fixture({kShape});
  Final final = kFinal;
  final.measured = 0;
  SetText(&final.telemetry_error, "reading /proc/x: ENOENT");
  fixture.Finish(0, final);
  const WorkerReport report = ReportOf(fixture);
  EXPECT_FALSE(report.has_schedstat_cpu_time_ns());
  EXPECT_FALSE(report.has_voluntary_ctxt_switches());
  EXPECT_FALSE(report.has_vmstat_numa_pages_migrated());
  EXPECT_EQ(report.numa_pages_size(), 0);
  EXPECT_EQ(report.telemetry_error(), "reading /proc/x: ENOENT");
}

TEST(LiveReportTest, MoreCpuThanWallTimeIsNoOffCpuTime) {
  const ArenaFixture fixture({kShape});
  fixture.Finish(0, {.cpu_time_ns = 5, .wall_time_ns = 4});
  EXPECT_EQ(ReportOf(fixture).off_cpu_ns(), 0u);
  EXPECT_FALSE(ReportOf(fixture).completed());
}

TEST(LiveReportTest, SamplesCanBeLeftOut) {
  const ArenaFixture fixture({kShape});
  Work1024(fixture);
  fixture.Finish(0, kFinal);
  const WorkerReport report = ReportOf(fixture, {.without_samples = true});
  EXPECT_EQ(report.wake_latencies_ns_size(), 0);
  EXPECT_EQ(report.wake_sample_total(), 5u);
  EXPECT_EQ(report.wake_histogram().count(), 5u);
}

TEST(LiveReportTest, AnEndAfterTheRecordIsNoBadEnd) {
  const ArenaFixture fixture({kShape});
  fixture.Finish(0, kFinal);
  fixture.SetExit(0, Exit::kSignaled, 9);
  EXPECT_FALSE(ReportOf(fixture).has_exit_info()) << "the sweep kills everyone";
}

TEST(LiveReportTest, AReusedMessageKeepsNothing) {
  const ArenaFixture fixture({kShape, kShape});
  Work1024(fixture);
  fixture.Finish(0, kFinal);
  WorkerReport report;
  FillReport(fixture.daemon(), 0, {}, &report);
  FillReport(fixture.daemon(), 1, {}, &report);
  EXPECT_EQ(report.worker_index(), 1u);
  EXPECT_EQ(report.wake_latencies_ns_size(), 0);
  EXPECT_EQ(report.iterations(), 0u);
}

// ---- Sentinels ----

TEST(SentinelTest, EveryEndHasItsExitInfo) {
  const ArenaFixture fixture({kShape});
  const auto after = [&](Exit exit, int32_t value) {
    fixture.SetExit(0, exit, value);
    return ReportOf(fixture, {.unknown_end = "who knows"}).exit_info();
  };
  EXPECT_EQ(after(Exit::kExited, 7).exited().code(), 7);
  EXPECT_EQ(after(Exit::kSignaled, 11).signaled().signal(), 11);
  EXPECT_TRUE(after(Exit::kTimedOut, 0).has_timed_out());
  EXPECT_FALSE(after(Exit::kTimedOut, 0).timed_out().unreaped());
  EXPECT_TRUE(after(Exit::kStuck, 0).timed_out().unreaped());
  EXPECT_THAT(after(Exit::kWaitFailed, ECHILD).wait_failed().error(), HasSubstr("ECHILD"));
  EXPECT_EQ(after(Exit::kNone, 0).wait_failed().error(), "who knows");
}

TEST(SentinelTest, CountersAreZeroAndIdentityStays) {
  const ArenaFixture fixture({kShape});
  Work1024(fixture);
  fixture.SetExit(0, Exit::kSignaled, 11);
  const WorkerReport report = ReportOf(fixture, {.shared_fate = true});
  EXPECT_EQ(report.group_idx(), 2u);
  EXPECT_EQ(report.tid(), 41);
  EXPECT_EQ(report.iterations(), 0u);
  EXPECT_EQ(report.wake_sample_total(), 0u);
  EXPECT_EQ(report.cpus_used_size(), 0);
  EXPECT_FALSE(report.completed());
  EXPECT_TRUE(report.exit_info().shared_fate());
}

TEST(SentinelTest, TheLastRecordIsBesideThem) {
  const ArenaFixture fixture({kShape});
  Work1024(fixture);
  fixture.SetExit(0, Exit::kSignaled, 11);
  const uint64_t checkpoint_ns = fixture.arena().live(0).checkpoint_at_ns.load();
  const WorkerReport report = ReportOf(fixture, {.now_ns = checkpoint_ns + 77});
  ASSERT_TRUE(report.has_last_record());
  EXPECT_EQ(report.last_record().age_ns(), 77u);
  const WorkerReport& record = report.last_record().record();
  EXPECT_EQ(record.group_idx(), 2u);
  EXPECT_EQ(record.tid(), 42);
  EXPECT_EQ(record.iterations(), 1u);
  EXPECT_EQ(record.work_units(), 1'024u);
  EXPECT_EQ(record.wake_sample_total(), 5u);
  EXPECT_EQ(record.wake_latencies_ns_size(), 4);
  EXPECT_EQ(record.cgroup_at_start(), "/muster/i/cg0");
  EXPECT_FALSE(record.completed());
  EXPECT_FALSE(record.has_exit_info());
}

TEST(SentinelTest, AWorkerThatDiedBeforeItsGateHasNoLastRecord) {
  const ArenaFixture fixture({kShape});
  fixture.SetExit(0, Exit::kExited, 1);
  EXPECT_FALSE(ReportOf(fixture).has_last_record());
}

TEST(SentinelTest, AnOverwrittenRecordIsNoRecord) {
  const ArenaFixture fixture({kShape});
  Work1024(fixture);
  fixture.Finish(0, kFinal);
  fixture.control().final.cpu_time_ns ^= 1;
  fixture.SetExit(0, Exit::kExited, 0);
  const WorkerReport report = ReportOf(fixture);
  EXPECT_EQ(report.exit_info().exited().code(), 0);
  EXPECT_TRUE(report.exit_info().has_exited());
  EXPECT_EQ(report.last_record().record().iterations(), 1u);
}

TEST(SentinelTest, APanicIsTheWorkersOwnWord) {
  const ArenaFixture fixture({kShape});
  Work1024(fixture);
  Final final = kFinal;
  SetText(&final.panic, "broken \xff inside");
  fixture.Finish(0, final, /*panicked=*/true);
  fixture.SetExit(0, Exit::kExited, 0);
  const WorkerReport report = ReportOf(fixture, {.shared_fate = true});
  EXPECT_EQ(report.exit_info().panicked().text(), "broken ? inside");
  EXPECT_FALSE(report.exit_info().shared_fate());
  EXPECT_FALSE(report.completed());
  EXPECT_EQ(report.iterations(), 0u);
  EXPECT_EQ(report.last_record().record().iterations(), 1u);
  EXPECT_EQ(report.last_record().record().stopped_at_ns(), 5'000u);
  EXPECT_FALSE(report.last_record().record().completed());
}

// ---- Custom work ----

TEST(CustomReportTest, OfAFunctionOnlyItsOwnCountsAndTheKernelsAreTold) {
  const ArenaFixture fixture({kShape});
  Meter meter(fixture.Target());
  meter.Begin(1'000, 1);
  meter.AddUnits(5);
  meter.EndIteration();
  meter.Publish(2'000);
  fixture.Finish(0, kFinal);
  const WorkerReport report = ReportOf(fixture, {.work = Work::kFunction});
  EXPECT_TRUE(report.completed());
  EXPECT_EQ(report.iterations(), 1u);
  EXPECT_EQ(report.work_units(), 5u);
  EXPECT_EQ(report.wall_time_ns(), 0u);
  EXPECT_EQ(report.cpus_used_size(), 0);
  EXPECT_FALSE(report.has_schedstat_cpu_time_ns());
  EXPECT_EQ(report.kernel_accounting().cpu_time_ns(), 3'000u);
  EXPECT_EQ(report.kernel_accounting().voluntary_ctxt_switches(), 4u);
}

class ProgramReportTest : public testing::Test {
 protected:
  ProgramReportTest() {
    fixture_.arena().live(0).state = State::kExec;
    fixture_.control().evidence_ready = 1;
    fixture_.arena().host(0).cpu_time_ns = 123;
  }
  WorkerReport After(Exit exit, int32_t value) {
    fixture_.SetExit(0, exit, value);
    return ReportOf(fixture_, {.work = Work::kProgram, .stop_signal = 15});
  }
  const ArenaFixture fixture_{{kShape}};
};

TEST_F(ProgramReportTest, AnExitIsANaturalEndWithItsCode) {
  const WorkerReport report = After(Exit::kExited, 3);
  EXPECT_TRUE(report.completed());
  EXPECT_FALSE(report.has_exit_info());
  EXPECT_EQ(report.kernel_accounting().exit_code(), 3);
  EXPECT_EQ(report.kernel_accounting().cpu_time_ns(), 123u);
}

TEST_F(ProgramReportTest, ItsStopSignalIsANaturalEndAfterTheStopOnly) {
  EXPECT_EQ(After(Exit::kSignaled, 15).exit_info().signaled().signal(), 15);
  fixture_.arena().header().stop = 1;
  EXPECT_TRUE(After(Exit::kSignaled, 15).completed());
  EXPECT_FALSE(After(Exit::kSignaled, 15).kernel_accounting().has_exit_code());
  EXPECT_EQ(After(Exit::kSignaled, 11).exit_info().signaled().signal(), 11);
  EXPECT_TRUE(After(Exit::kTimedOut, 0).exit_info().has_timed_out());
}

}  // namespace
}  // namespace muster::arena
