#include <sched.h>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

// Real-time work keeps to CPU 1, for a tenth of a second.
TEST(RtStarvationTest, RealTimeMembersReallyRunAtTheirPriorityAndOthersDoNot) {
  if (!RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here: no CAP_SYS_NICE, or a cgroup without budget";
  GroupRunOptions options;
  options.work = ResolvedWork("rt_starvation { rt_priority: 7 }");
  options.cpu_of = [](const WorkerPlace& place) { return place.position == 0 ? 1 : 0; };
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE((*run)->WaitForIterations(10, absl::Milliseconds(200)));
  sched_param param = {};
  EXPECT_EQ(sched_getscheduler((*run)->tid(0)), SCHED_FIFO);
  EXPECT_EQ(sched_getparam((*run)->tid(0), &param), 0);
  EXPECT_EQ(param.sched_priority, 7);
  EXPECT_EQ(sched_getscheduler((*run)->tid(1)), SCHED_OTHER);
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_EQ((*run)->result(0).policy_error, "");
}

TEST(RtStarvationTest, AnOrdinaryMemberOfTheSameCpuStarves) {
  if (!RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here: no CAP_SYS_NICE, or a cgroup without budget";
  GroupRunOptions options;
  options.work = ResolvedWork("rt_starvation {}");
  options.cpu_of = [](const WorkerPlace&) { return 1; };
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE(GroupRun::Eventually([&] { return (*run)->iterations(0) >= 3'000; }, absl::Milliseconds(200)));
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_LT((*run)->result(1).iterations * 2, (*run)->result(0).iterations);
}

}  // namespace
}  // namespace muster
