#include "worker/work/schbench/auto_rate.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace muster {
namespace {

CpuSet Cpus(const char* list) { return *CpuSet::Parse(list); }

// /proc/stat of two CPUs that were busy for so many ticks of so many.
std::string Stat(uint64_t busy0, uint64_t total0, uint64_t busy1, uint64_t total1) {
  return absl::StrCat("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 ", busy0, " 0 0 ", total0 - busy0, " 0 0 0 0 0 0\ncpu1 0 0 ",
                      busy1, " 0 ", total1 - busy1, " 0 0 0 0 0\nintr 3 4\n");
}

TEST(NextRateTest, GoesAtMostThreefoldUpAndThreeTenthsDown) {
  EXPECT_DOUBLE_EQ(NextRate(10, 1, 80), 30);
  EXPECT_DOUBLE_EQ(NextRate(10, 0, 80), 30);
  EXPECT_DOUBLE_EQ(NextRate(1000, 100, 10), 300);
  EXPECT_DOUBLE_EQ(NextRate(1, 100, 1), 1) << "never none at all";
  EXPECT_DOUBLE_EQ(NextRate(kMaxAutoRate, 1, 100), kMaxAutoRate);
  EXPECT_DOUBLE_EQ(NextRate(100, 50, 50), 100);
}

// CPUs whose busy time is in proportion to the rate.
TEST(NextRateTest, ReachesATargetFromBelowAndFromAboveAndStays) {
  for (const double first : {10.0, 100'000.0}) {
    double rate = first;
    for (int second = 0; second < 40; ++second) rate = NextRate(rate, std::min(100.0, rate / 50), 60);
    EXPECT_NEAR(rate, 3000, 60) << "from " << first;
  }
}

TEST(AutoRateTest, FollowsTheTimesBetweenTwoReadings) {
  AutoRate rate(50, Cpus("0-1"), 10);
  ASSERT_TRUE(rate.EndPeriod(Stat(1000, 1000, 1000, 1000)).ok());
  EXPECT_DOUBLE_EQ(rate.rate(), 10) << "nothing is known yet";
  ASSERT_TRUE(rate.EndPeriod(Stat(1010, 1100, 1010, 1100)).ok());
  EXPECT_DOUBLE_EQ(rate.rate(), 30) << "busy for a tenth";
  ASSERT_TRUE(rate.EndPeriod(Stat(1110, 1200, 1110, 1200)).ok());
  EXPECT_DOUBLE_EQ(rate.rate(), 15) << "busy throughout";
  ASSERT_TRUE(rate.EndPeriod(Stat(1110, 1200, 1110, 1200)).ok());
  EXPECT_DOUBLE_EQ(rate.rate(), 15) << "no time has passed";
}

TEST(AutoRateTest, LooksOnlyAtItsCpus) {
  AutoRate rate(50, Cpus("1"), 10);
  ASSERT_TRUE(rate.EndPeriod(Stat(0, 0, 0, 0)).ok());
  ASSERT_TRUE(rate.EndPeriod(Stat(100, 100, 50, 100)).ok());
  EXPECT_DOUBLE_EQ(rate.rate(), 10);
}

}  // namespace
}  // namespace muster
