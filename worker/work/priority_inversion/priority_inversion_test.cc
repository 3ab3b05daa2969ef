#include <sched.h>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

GroupRunOptions OnCpu1(const std::string& work) {
  GroupRunOptions options;
  options.work = ResolvedWork(work);
  options.cpu_of = [](const WorkerPlace&) { return 1; };
  return options;
}

TEST(PriorityInversionTest, TheRolesReallyRunAtTheirPriorities) {
  if (!RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here: no CAP_SYS_NICE, or a cgroup without budget";
  for (const uint32_t position : {0u, 1u, 2u}) {
    GroupRunOptions options = OnCpu1("priority_inversion {}");
    options.only = {position};
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_TRUE((*run)->WaitForIterations(1, absl::Milliseconds(100)));
    sched_param param = {};
    EXPECT_EQ(sched_getscheduler((*run)->tid(0)), SCHED_FIFO);
    EXPECT_EQ(sched_getparam((*run)->tid(0), &param), 0);
    EXPECT_EQ(param.sched_priority, position == 0 ? 70 : position == 1 ? 50 : 30);
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
    const uint64_t units = position == 0 ? 2048 : position == 1 ? 1024 : 5120;
    EXPECT_LE((*run)->result(0).work_units, ((*run)->result(0).iterations + 1) * units);
    EXPECT_GE((*run)->result(0).work_units + units, (*run)->result(0).iterations * units);
  }
}

TEST(PriorityInversionTest, BothLocksEndAtTheStopWhileTheyAreContended) {
  for (const char* work :
       {"priority_inversion { hold_iters: 1000000000 }", "priority_inversion { hold_iters: 1000000000 pi_mode: PI }"}) {
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(OnCpu1(work));
    ASSERT_TRUE(run.ok()) << run.status();
    (*run)->WaitBlocked(0, absl::Milliseconds(50));
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << work << ": " << stopped;
  }
}

TEST(PriorityInversionTest, InheritanceTakesNoWakeSamples) {
  const WorkType& type = *FindWorkType(v1::Work::kPriorityInversion);
  EXPECT_EQ(type.Streams(ResolvedWork("priority_inversion {}")), kWakeSamples);
  EXPECT_EQ(type.Streams(ResolvedWork("priority_inversion { pi_mode: PI }")), kNoSamples);
}

}  // namespace
}  // namespace muster
