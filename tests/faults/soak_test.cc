// Rounds and rounds: nothing in the daemon grows.
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/descriptors_testing.h"
#include "base/test_run.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

size_t ResidentBytes(pid_t pid) {
  std::ifstream statm(absl::StrCat("/proc/", pid, "/statm"));
  size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

class SoakTest : public LiveTest {
 protected:
  void Round() {
    WorkloadHandle handle = MustSpawn(Spec("num_workers: 2 work { pipe_io { burst_iters: 8 } } max_samples: 64"));
    ASSERT_TRUE(handle.Start().ok());
    const CollectedReports collected = MustCollect(std::move(handle));
    ASSERT_EQ(collected.reports.size(), 2u);
    EXPECT_EQ(collected.summary.sentinels(), 0u);
  }
};

TEST_F(SoakTest, AThousandRoundsDoNotGrowTheDaemon) {
  const int rounds = IsLongRun() ? 10'000 : 1'000;
  // Allocators, thread pools and caches fill up first; the request-id cache is bounded and full by then.
  for (int i = 0; i < rounds / 2 && !HasFailure(); ++i) Round();
  const int descriptors = CountDescriptors(daemon_->pid());
  const size_t processes = daemon_->WorkerProcesses().size();
  const size_t resident = ResidentBytes(daemon_->pid());
  for (int i = 0; i < rounds && !HasFailure(); ++i) Round();
  EXPECT_LE(CountDescriptors(daemon_->pid()), descriptors);
  EXPECT_EQ(daemon_->WorkerProcesses().size(), processes);
  // A leak of one page per round would be 4 MB.
  EXPECT_LE(ResidentBytes(daemon_->pid()), resident + (2 << 20));
}

}  // namespace
}  // namespace muster
