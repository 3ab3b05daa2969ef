#include "daemon/pool/report_builder.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "worker/telemetry/muster_telemetry.h"

namespace muster {
namespace {

class ReportBuilderTest : public testing::Test {
 protected:
  void SetUp() override { Make(2); }

  void Make(uint32_t workers) {
    std::vector<arena::WorkerShape> shapes(workers, arena::WorkerShape{});
    absl::StatusOr<UniqueFd> fd = arena::Arena::Create(shapes);
    ASSERT_TRUE(fd.ok()) << fd.status();
    absl::StatusOr<arena::Arena> mapped = arena::Arena::Map(fd->get(), arena::Arena::Access::kPoolHost);
    ASSERT_TRUE(mapped.ok()) << mapped.status();
    arena_ = *std::move(mapped);
    spec_.set_num_workers(workers);
    spec_.mutable_work()->mutable_spin_wait();
    context_.arena = &arena_;
    context_.spec = &spec_;
    for (uint32_t i = 0; i < workers; ++i) arena_.host(i).pid = 1000 + i;
  }

  v1::WorkerReport Build(uint32_t worker) {
    v1::WorkerReport report;
    BuildReport(context_, worker, false, &report);
    return report;
  }

  void SetExit(uint32_t worker, arena::Exit exit, int value) {
    arena_.host(worker).exit_value = value;
    arena_.host(worker).exit = exit;
  }

  arena::Arena arena_;
  v1::WorkloadSpec spec_;
  ReportContext context_;
};

TEST_F(ReportBuilderTest, AWorkerThatLeftNothingIsASentinelByTheHostTable) {
  SetExit(1, arena::Exit::kSignaled, SIGSEGV);
  const v1::WorkerReport report = Build(1);
  EXPECT_EQ(report.worker_index(), 1u);
  EXPECT_EQ(report.exit_info().signaled().signal(), SIGSEGV);
  EXPECT_FALSE(report.exit_info().signaled().oom_killed());
  EXPECT_FALSE(report.completed());
}

TEST_F(ReportBuilderTest, AStrayThatMusterdReapedEndsAsItWasReaped) {
  context_.host_error = "the pool host was killed by signal 9";
  context_.stray_end = [](pid_t pid) -> std::optional<ProcessEnd> {
    if (pid == 1000) return ProcessEnd{.exit_code = -1, .signal = SIGKILL};
    return std::nullopt;
  };
  EXPECT_EQ(Build(0).exit_info().signaled().signal(), SIGKILL);
  EXPECT_EQ(Build(1).exit_info().wait_failed().error(), "the pool host was killed by signal 9");
}

TEST_F(ReportBuilderTest, WhatTheHostTableSaysGoesBeforeWhatStraysSay) {
  SetExit(0, arena::Exit::kExited, 3);
  context_.stray_end = [](pid_t) { return ProcessEnd{.exit_code = -1, .signal = SIGKILL}; };
  EXPECT_EQ(Build(0).exit_info().exited().code(), 3);
}

TEST_F(ReportBuilderTest, OnlyASigkillCanBeTheOomKillers) {
  context_.oom_killed = [](uint32_t) { return true; };
  SetExit(0, arena::Exit::kSignaled, SIGKILL);
  SetExit(1, arena::Exit::kSignaled, SIGTERM);
  EXPECT_TRUE(Build(0).exit_info().signaled().oom_killed());
  EXPECT_FALSE(Build(1).exit_info().signaled().oom_killed());
}

TEST_F(ReportBuilderTest, ProgramsReportWhatTheyWrote) {
  spec_.mutable_work()->mutable_custom()->mutable_program()->set_path("/bin/true");
  muster_telemetry telemetry = {};
  telemetry.iterations = 7;
  context_.telemetry = [&](uint32_t worker) { return worker == 0 ? &telemetry : nullptr; };
  EXPECT_EQ(Build(0).kernel_accounting().reported_iterations(), 7u);
  EXPECT_FALSE(Build(1).kernel_accounting().has_reported_iterations());
  telemetry.iterations = 0;
  EXPECT_FALSE(Build(0).kernel_accounting().has_reported_iterations()) << "nothing was written";
}

TEST_F(ReportBuilderTest, ThreadsShareTheirFate) {
  spec_.set_clone_mode(v1::THREAD);
  SetExit(0, arena::Exit::kSignaled, SIGABRT);
  EXPECT_TRUE(Build(0).exit_info().shared_fate());
}

TEST_F(ReportBuilderTest, SummaryCountsSentinelsAndNamesGroups) {
  v1::GroupSpec* group = spec_.add_composed();
  group->set_num_workers(1);
  group->mutable_work()->mutable_pipe_io();
  group->set_cgroup("cg1");
  arena_.header().released_at_ns = 100;
  arena_.header().stopped_at_ns = 200;
  arena_.host(0).reaped_at_ns = 260;
  v1::PoolSummary summary;
  FillSummary(context_, &summary);
  EXPECT_EQ(summary.workers(), 2u);
  EXPECT_EQ(summary.sentinels(), 2u);
  EXPECT_EQ(summary.released_at_ns(), 100u);
  EXPECT_EQ(summary.reap_ns(), 60u);
  EXPECT_EQ(summary.start_skew_ns(), 0u) << "nobody started";
  ASSERT_EQ(summary.groups_size(), 2);
  EXPECT_EQ(summary.groups(0).work_type(), "SpinWait");
  EXPECT_EQ(summary.groups(1).work_type(), "PipeIo");
  EXPECT_EQ(summary.groups(1).cgroup(), "cg1");
}

}  // namespace
}  // namespace muster
