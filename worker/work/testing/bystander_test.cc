#include "worker/work/testing/bystander.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/cgroup_testing.h"
#include "base/cpu_set.h"

namespace muster {
namespace {

// What is done to a task shows in its state; undone, it is as before.
TEST(TaskStateTest, ShowsAffinityNiceClassSignalsAndCgroup) {
  Bystander child;
  const std::string before = TaskState(child.pid());
  const absl::StatusOr<CpuSet> cpus = GetAffinity(child.pid());
  CpuSet first;
  first.Add(0);
  ASSERT_TRUE(SetAffinity(child.pid(), first).ok());
  EXPECT_EQ(TaskState(child.pid()) == before, cpus->Count() == 1);
  ASSERT_TRUE(SetAffinity(child.pid(), *cpus).ok());
  EXPECT_EQ(TaskState(child.pid()), before);

  const sched_param none = {};
  ASSERT_EQ(sched_setscheduler(child.pid(), SCHED_BATCH, &none), 0);
  EXPECT_NE(TaskState(child.pid()), before);
  ASSERT_EQ(sched_setscheduler(child.pid(), SCHED_OTHER, &none), 0);
  EXPECT_EQ(TaskState(child.pid()), before);

  ScratchCgroup scratch;
  child.MoveTo(scratch.dir());
  const std::string moved = TaskState(child.pid());
  EXPECT_NE(moved, before);
  setpriority(PRIO_PROCESS, static_cast<id_t>(child.pid()), 3);
  const std::string nicer = TaskState(child.pid());
  EXPECT_NE(nicer, moved);
  kill(child.pid(), SIGUSR2);
  const std::string signalled = TaskState(child.pid());
  EXPECT_NE(signalled, nicer);
}

TEST(BystanderTest, TellsWhatWasDoneToIt) {
  Bystander bystander;
  EXPECT_EQ(bystander.Change(), "");
  kill(bystander.pid(), SIGUSR2);
  EXPECT_NE(bystander.Change().find("the bystander was"), std::string::npos);
}

TEST(BystanderTest, ItsEndIsAChange) {
  Bystander bystander;
  kill(bystander.pid(), SIGKILL);
  while (!TaskState(bystander.pid()).empty()) sched_yield();
  EXPECT_NE(bystander.Change(), "");
}

}  // namespace
}  // namespace muster
