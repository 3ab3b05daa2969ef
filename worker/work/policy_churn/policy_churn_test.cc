#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "base/cpu_set.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/parts/sched_class.h"
#include "worker/work/testing/group_run.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

TEST(PolicyChurnTest, CyclesThroughTheClassesAndLeavesTheOneItFound) {
  if (!RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here: no CAP_SYS_NICE, or a cgroup without budget";
  std::thread([] {
    CpuSet cpus;
    cpus.Add(1);
    ASSERT_TRUE(SetAffinity(0, cpus).ok());
    std::multiset<uint32_t> seen;
    {
      GroupFixture group("policy_churn { spin_iters: 10 }");
      for (int i = 0; i < 10; ++i) {
        group.RunOnce(0);
        seen.insert(GetSchedAttributes()->sched_policy);
      }
    }
    for (const uint32_t policy : {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_FIFO, SCHED_RR}) {
      EXPECT_EQ(seen.count(policy), 2u) << policy;
    }
    EXPECT_EQ(GetSchedAttributes()->sched_policy, static_cast<uint32_t>(SCHED_OTHER));
  }).join();
}

// What it says of its classes after some cycles on CPU 1.
std::string Churn(uid_t user, uint32_t max_rt_priority) {
  GroupRunOptions options;
  options.work = ResolvedWork("policy_churn { spin_iters: 10 }");
  options.cpu_of = [](const WorkerPlace&) { return 1; };
  options.max_rt_priority = max_rt_priority;
  options.before = [=](const WorkerPlace&) {
    const rlimit none = {0, 0};
    ASSERT_EQ(setrlimit(RLIMIT_NICE, &none), 0);
    ASSERT_EQ(setrlimit(RLIMIT_RTPRIO, &none), 0);
    ASSERT_EQ(seteuid(user), 0);
  };
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  EXPECT_TRUE(run.ok()) << run.status();
  if (!run.ok()) return "";
  EXPECT_TRUE((*run)->WaitForIterations(20, absl::Seconds(5)));
  // Some look finds it in another class than SCHED_IDLE, unless it is stuck there.
  EXPECT_TRUE(GroupRun::Eventually([&] { return sched_getscheduler((*run)->tid(0)) != SCHED_IDLE; }, absl::Seconds(10)))
      << "it could not leave SCHED_IDLE";
  const absl::Status stopped = (*run)->Stop(absl::Seconds(2));
  EXPECT_TRUE(stopped.ok()) << stopped;
  return stopped.ok() ? (*run)->result(0).policy_error : "";
}

constexpr uid_t kNobody = 65534;

TEST(PolicyChurnTest, WithoutPrivilegesItLeavesOutTheClassThatItCouldNotLeave) {
  if (geteuid() != 0) GTEST_SKIP() << "needs the superuser, to become nobody";
  const std::string error = Churn(kNobody, 98);
  EXPECT_NE(error.find("without SCHED_IDLE"), std::string::npos) << error;
  EXPECT_NE(error.find("SCHED_FIFO 1: EPERM"), std::string::npos) << error;
}

TEST(PolicyChurnTest, WhereWorkersMayHaveNoRealTimePriorityItTakesNone) {
  const std::string error = Churn(geteuid(), 0);
  EXPECT_NE(error.find("limit for workers"), std::string::npos) << error;
}

}  // namespace
}  // namespace muster
