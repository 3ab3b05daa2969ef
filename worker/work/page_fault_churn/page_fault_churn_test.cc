#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/file_io.h"
#include "base/test_run.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

uint64_t MinorFaults() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt;
}

uint64_t MappedBytes() {
  const std::string text = ReadFile("/proc/self/statm").value_or("");
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  uint64_t pages = 0;
  EXPECT_TRUE(absl::SimpleAtoi(words[0], &pages));
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

TEST(PageFaultChurnTest, AnIterationIsItsTouchesAndItsSpin) {
  GroupFixture group("page_fault_churn {}");
  for (int i = 0; i < 16; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 16u * 320);
  EXPECT_GE(group.record(0).core().checkpoints, 1u) << "16 iterations are 5 times 1024 units";
}

TEST(PageFaultChurnTest, EveryIterationFaultsItsPagesInAnew) {
  GroupFixture group("page_fault_churn { region_kib: 262144 touches_per_cycle: 200 spin_iters: 0 }");
  group.RunOnce(0);
  for (int i = 0; i < 3; ++i) {
    const uint64_t before = MinorFaults();
    group.RunOnce(0);
    // 200 random pages of 65,536: hardly any is hit twice.
    EXPECT_GE(MinorFaults() - before, 180u);
  }
}

// Faults of each iteration: as many as the pages that its touches hit, which depends on where the touches go.
std::vector<uint64_t> FaultsOf(uint64_t seed) {
  GroupFixture group("page_fault_churn { region_kib: 1024 touches_per_cycle: 200 spin_iters: 0 }", seed);
  group.RunOnce(0);
  std::vector<uint64_t> faults(16);
  for (uint64_t& count : faults) {
    const uint64_t before = MinorFaults();
    group.RunOnce(0);
    count = MinorFaults() - before;
  }
  return faults;
}

TEST(PageFaultChurnTest, TheSeedFixesThePages) {
  if (kUnderSanitizer) GTEST_SKIP() << "a sanitizer's own pages fault too, once each";
  EXPECT_EQ(FaultsOf(7), FaultsOf(7));
  EXPECT_NE(FaultsOf(7), FaultsOf(8));
}

TEST(PageFaultChurnTest, ARegionBelowOnePageIsOnePage) {
  GroupFixture group("page_fault_churn { region_kib: 0 touches_per_cycle: 50 spin_iters: 0 }");
  const uint64_t before = MinorFaults();
  EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_LE(MinorFaults() - before, 20u);
  EXPECT_EQ(group.meter(0).work_units(), 50u);
}

TEST(PageFaultChurnTest, ARegionThatCannotBeMappedEndsTheWorkWithoutAnIterationAndSaysWhy) {
  rlimit before = {};
  getrlimit(RLIMIT_AS, &before);
  // Beyond what is mapped already, which under a sanitizer is terabytes.
  const rlimit tight = {MappedBytes() + (uint64_t{8} << 30), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &tight), 0);
  {
    GroupFixture group("page_fault_churn { region_kib: 1073741824 }");
    EXPECT_EQ(group.RunOnce(0), StepResult::kAbandon);
    EXPECT_EQ(group.meter(0).iterations(), 0u);
    EXPECT_EQ(std::string(group.record(0).control().noop_reason.bytes).substr(0, 4), "map ");
  }
  setrlimit(RLIMIT_AS, &before);
}

TEST(PageFaultChurnTest, ALongCycleEndsAtTheStop) {
  GroupFixture group("page_fault_churn { region_kib: 65536 touches_per_cycle: 1000000000 }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
