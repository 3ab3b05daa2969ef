// Work that re-pins, re-nices, signals and moves does so to its own pool and to nobody else.
#include "worker/work/testing/bystander.h"

#include <algorithm>
#include <map>

#include "tests/support/live_test.h"

namespace muster {
namespace {

using BystanderTest = LiveTest;

constexpr char kTroublemakers[] = R"(
    num_workers: 2 work { cross_affinity_churn { spin_iters: 64 } }
    composed { num_workers: 2 work { signal_storm {} } }
    composed { num_workers: 1 work { nice_sweep {} } }
    composed { num_workers: 1 work { affinity_churn {} } }
    composed { num_workers: 1 work { numa_migration_churn { period_ms: 5 } } }
    composed { num_workers: 2 work { cgroup_churn { cycle_ms: 5 } } }
)";

std::map<pid_t, std::string> StatesOf(const std::vector<pid_t>& tasks) {
  std::map<pid_t, std::string> states;
  for (const pid_t task : tasks) states[task] = TaskState(task);
  return states;
}

TEST_F(BystanderTest, AnotherPoolThePoolHostsTheJanitorAndTheDaemonAreLeftAlone) {
  WorkloadHandle quiet = MustSpawn(Spec("num_workers: 2 work { idle_churn {} }"));
  ASSERT_TRUE(quiet.Start().ok());
  WaitForProgress(quiet, 1);
  const std::vector<pid_t> first = daemon_->WorkerProcesses();
  WorkloadHandle trouble = MustSpawn(Spec(kTroublemakers));
  std::vector<pid_t> others = daemon_->WorkerProcesses();
  for (const pid_t own : trouble.WorkerPids())
    others.erase(std::remove(others.begin(), others.end(), own), others.end());
  others.push_back(daemon_->pid());
  // Two quiet workers, two pool hosts, the janitor, the daemon.
  ASSERT_EQ(others.size(), 6u);
  const std::map<pid_t, std::string> before = StatesOf(others);
  ASSERT_TRUE(trouble.Start().ok());
  WaitForProgress(trouble, 10);
  EXPECT_EQ(StatesOf(others), before);
  // The pool's own host ends with it.
  const std::map<pid_t, std::string> before_the_stop = StatesOf(first);
  MustCollect(std::move(trouble));
  EXPECT_EQ(StatesOf(first), before_the_stop);
  EXPECT_TRUE(MustCollect(std::move(quiet)).reports[0].completed());
}

}  // namespace
}  // namespace muster
