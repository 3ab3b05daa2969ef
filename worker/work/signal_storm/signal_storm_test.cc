#include <signal.h>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

namespace muster {
namespace {

TEST(SignalStormTest, PartnersSignalEachOtherInProcessesAndInThreads) {
  for (const bool threads : {false, true}) {
    GroupRunOptions options;
    options.work = ResolvedWork("signal_storm { work_iters: 16 }");
    options.threads = threads;
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_TRUE((*run)->WaitForIterations(100, absl::Seconds(5)));
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
    EXPECT_GT((*run)->result(0).work_units, 100u * 16);
  }
}

TEST(SignalStormTest, WithoutAPartnerItWaitsUntilTheStopAndSignalsNobody) {
  GroupRunOptions options;
  options.work = ResolvedWork("signal_storm { signals_per_iter: 16 work_iters: 8 }");
  options.only = {1};
  const absl::StatusOr<std::vector<MemberResult>> results = RunGroup(options, absl::Milliseconds(20));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].work_units, 0u) << "it waits for one";
}

// The test itself would die of SIGUSR2, as would its parent: neither is the partner.
TEST(SignalStormTest, ABystanderIsNotSignalled) {
  signal(SIGUSR2, SIG_DFL);
  GroupRunOptions options;
  options.work = ResolvedWork("signal_storm {}");
  const absl::StatusOr<std::vector<MemberResult>> results = RunGroup(options);
  ASSERT_TRUE(results.ok()) << results.status();
}

}  // namespace
}  // namespace muster
