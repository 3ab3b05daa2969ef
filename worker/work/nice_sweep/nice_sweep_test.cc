#include <sys/resource.h>

#include <set>
#include <thread>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/parts/sched_class.h"

namespace muster {
namespace {

TEST(NiceSweepTest, TakesEveryNiceValueInTurnAndLeavesTheOneItFound) {
  if (!MayRunRealTime()) GTEST_SKIP() << "needs CAP_SYS_NICE";
  const int own = getpriority(PRIO_PROCESS, 0);
  // In a thread of its own: nice is a thread's.
  std::thread([] {
    setpriority(PRIO_PROCESS, 0, 3);
    std::set<int> seen;
    {
      GroupFixture group("nice_sweep {}");
      for (int i = 0; i < 40; ++i) {
        group.RunOnce(0);
        seen.insert(getpriority(PRIO_PROCESS, 0));
      }
      EXPECT_EQ(group.meter(0).work_units(), 40u * 512);
      EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 40u);
      EXPECT_EQ(group.record(0).control().setup_errors[arena::kSetNice].bytes[0], 0);
    }
    EXPECT_EQ(seen.size(), 40u);
    EXPECT_EQ(*seen.begin(), -20);
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 3);
  }).join();
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own) << "a neighbour thread keeps its own";
}

}  // namespace
}  // namespace muster
