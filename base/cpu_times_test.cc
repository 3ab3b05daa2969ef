#include "base/cpu_times.h"

#include "gtest/gtest.h"

namespace muster {
namespace {

CpuSet Cpus(const char* list) { return *CpuSet::Parse(list); }

TEST(SumCpuTimesTest, CountsTheWantedCpusAndNeitherIdleNorDiskNorGuestsTwice) {
  const char* stat = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 4 100 50 8 16 32 1000 2000\ncpu1 1 0 0 10 0 0 0 0 0 0\n";
  const absl::StatusOr<CpuTimes> zero = SumCpuTimes(stat, Cpus("0"));
  ASSERT_TRUE(zero.ok()) << zero.status();
  EXPECT_EQ(zero->busy, 63u);
  EXPECT_EQ(zero->total, 213u);
  const absl::StatusOr<CpuTimes> both = SumCpuTimes(stat, Cpus("0-7"));
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->busy, 64u);
  EXPECT_EQ(both->total, 224u);
}

TEST(SumCpuTimesTest, SaysWhatItDoesNotUnderstand) {
  EXPECT_EQ(SumCpuTimes("cpu0 1 2 3 4 5\n", Cpus("4")).status().message(), "/proc/stat has no line of the CPUs 4");
  EXPECT_EQ(SumCpuTimes("cpu0 1 2 x 4 5\n", Cpus("0")).status().message(),
            "a line of /proc/stat not understood: cpu0 1 2 x 4 5");
  EXPECT_FALSE(SumCpuTimes("cpu0 1 2\n", Cpus("0")).ok());
}

}  // namespace
}  // namespace muster
