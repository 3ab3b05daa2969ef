#include "daemon/control_priority.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "base/cpu_set.h"
#include "base/deadline.h"

namespace muster {
namespace {

// Runs on one CPU and gives the priority back, so that the machine always has another CPU to itself.
class ControlPriorityTest : public testing::Test {
 protected:
  void SetUp() override {
    sched_param ordinary = {};
    if (sched_setscheduler(0, SCHED_OTHER, &ordinary) != 0 || getuid() != 0) GTEST_SKIP() << "needs root";
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "needs a second CPU that stays free";
    const absl::StatusOr<CpuSet> cpus = GetAffinity(0);
    ASSERT_TRUE(cpus.ok());
    CpuSet one;
    one.Add(cpus->Ids().back());
    ASSERT_TRUE(SetAffinity(0, one).ok());
  }
  void TearDown() override {
    const sched_param ordinary = {};
    sched_setscheduler(0, SCHED_OTHER, &ordinary);
    (void)LiftRealTimeLimit();
  }
};

TEST_F(ControlPriorityTest, ThreadsMadeLaterInheritIt) {
  ASSERT_TRUE(RaiseControlPriority(2).ok());
  std::string policy;
  std::thread later([&] { policy = DescribePolicy(); });
  later.join();
  EXPECT_EQ(policy, "SCHED_FIFO 2");
}

TEST_F(ControlPriorityTest, AThreadThatLoopsIsDemotedAndItsPriorityIsNotGivenBack) {
  ASSERT_TRUE(GuardAgainstRealTimeLoops(absl::Milliseconds(50)).ok());
  std::string before, after;
  std::thread looping([&] {
    ASSERT_TRUE(RaiseControlPriority(1).ok());
    before = DescribePolicy();
    const Deadline deadline = Deadline::After(absl::Seconds(10));
    while (sched_getscheduler(0) == SCHED_FIFO && !deadline.Expired()) {
    }
    after = DescribePolicy();
  });
  looping.join();
  EXPECT_EQ(before, "SCHED_FIFO 1");
  EXPECT_TRUE(absl::StartsWith(after, "SCHED_OTHER")) << after;
  rlimit limit = {};
  getrlimit(RLIMIT_RTTIME, &limit);
  EXPECT_EQ(limit.rlim_cur, 50'000u) << "the next loop would run for longer";
}

TEST_F(ControlPriorityTest, OthersKeepTheirPriorityWhenOneLoops) {
  ASSERT_TRUE(GuardAgainstRealTimeLoops(absl::Milliseconds(50)).ok());
  ASSERT_TRUE(RaiseControlPriority(1).ok());
  std::thread looping([] {
    const Deadline deadline = Deadline::After(absl::Seconds(10));
    while (sched_getscheduler(0) == SCHED_FIFO && !deadline.Expired()) {
    }
  });
  looping.join();
  EXPECT_EQ(DescribePolicy(), "SCHED_FIFO 1");
}

TEST_F(ControlPriorityTest, WithoutPermissionItIsAnErrorAndNothingElse) {
  // RLIMIT_RTPRIO does not bind root.
  std::thread other([] {
    ASSERT_EQ(setresuid(-1, 65534, -1), 0);
    EXPECT_EQ(RaiseControlPriority(1).code(), absl::StatusCode::kPermissionDenied);
    ASSERT_EQ(setresuid(-1, 0, -1), 0);
  });
  other.join();
}

}  // namespace
}  // namespace muster
