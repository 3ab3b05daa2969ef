#include <sched.h>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

TEST(AsymmetricWakerTest, EachPositionRunsInItsClass) {
  GroupRunOptions options;
  options.work = ResolvedWork("asymmetric_waker { waker_class: BATCH wakee_class: IDLE }");
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE(GroupRun::Eventually(
      [&] {
        return sched_getscheduler((*run)->tid(0)) == SCHED_BATCH && sched_getscheduler((*run)->tid(1)) == SCHED_IDLE;
      },
      absl::Seconds(5)));
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
}

TEST(AsymmetricWakerTest, ARealTimeWakeeIsReallyOne) {
  if (!RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here: no CAP_SYS_NICE, or a cgroup without budget";
  GroupRunOptions options;
  options.work = ResolvedWork("asymmetric_waker { wakee_class: RT burst_iters: 16 }");
  options.cpu_of = [](const WorkerPlace&) { return 1; };
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE((*run)->WaitForIterations(1, absl::Milliseconds(250)));
  EXPECT_EQ(sched_getscheduler((*run)->tid(1)), SCHED_FIFO);
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_EQ((*run)->result(1).policy_error, "");
}

TEST(AsymmetricWakerTest, AClassThatTheKernelRefusesIsSaidInTheReportAndTheWorkGoesOn) {
  GroupRunOptions options;
  // The kernel refuses a deadline task that is pinned.
  options.work = ResolvedWork("asymmetric_waker { wakee_class: DEADLINE }");
  options.cpu_of = [](const WorkerPlace&) { return 1; };
  const absl::StatusOr<std::vector<MemberResult>> results = RunGroup(options);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_NE((*results)[1].policy_error.find("SCHED_DEADLINE: EPERM"), std::string::npos) << (*results)[1].policy_error;
  EXPECT_GT((*results)[1].iterations, 0u);
  EXPECT_EQ((*results)[0].policy_error, "");
}

}  // namespace
}  // namespace muster
