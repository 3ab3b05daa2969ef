#include <sched.h>

#include <set>
#include <thread>

#include "base/cpu_set.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/parts/sched_class.h"
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

}  // namespace
}  // namespace muster
