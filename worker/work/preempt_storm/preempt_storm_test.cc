#include <sched.h>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

TEST(PreemptStormTest, PositionZeroPreemptsAtFifo1AndLeavesTheOthersTheirTime) {
  if (!RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here: no CAP_SYS_NICE, or a cgroup without budget";
  GroupRunOptions options;
  options.work = ResolvedWork("preempt_storm { cfs_workers: 1 }");
  options.cpu_of = [](const WorkerPlace&) { return 1; };
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE((*run)->WaitForIterations(5, absl::Milliseconds(250)));
  EXPECT_EQ(sched_getscheduler((*run)->tid(0)), SCHED_FIFO);
  EXPECT_EQ(sched_getscheduler((*run)->tid(1)), SCHED_OTHER);
  const absl::Status stopped = (*run)->Stop();
  ASSERT_TRUE(stopped.ok()) << stopped;
}

}  // namespace
}  // namespace muster
