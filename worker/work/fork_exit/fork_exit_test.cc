#include <sys/wait.h>

#include <cerrno>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(ForkExitTest, AnIterationIsOneChildReaped) {
  GroupFixture group("fork_exit {}");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 20u);
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 20u);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD) << "no child is left";
}

TEST(ForkExitTest, ThreadsOfOneProcessForkBesideEachOther) {
  GroupFixture a("fork_exit {}");
  GroupFixture b("fork_exit {}");
  a.Start(0);
  b.RunAll(200);
  EXPECT_LT(a.StopAllNs(), 1'000'000'000u);
  EXPECT_GT(a.meter(0).iterations(), 0u);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace muster
