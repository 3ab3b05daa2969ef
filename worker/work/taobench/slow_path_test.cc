#include "worker/work/taobench/slow_path.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"

namespace muster {
namespace {

TEST(SlowPathTest, WithoutATailAllSleepAlike) {
  const SlowPath path(100, 0);
  EXPECT_EQ(path.SleepNs(0), 100'000u);
  EXPECT_EQ(path.SleepNs(~uint64_t{0}), 100'000u);
  EXPECT_EQ(SlowPath(0, 0).SleepNs(7), 0u);
}

TEST(SlowPathTest, TheTailHasItsLeastAndItsPercentile99) {
  const SlowPath path(100, 5000);
  std::vector<uint64_t> sleeps;
  uint64_t random = RandomBegin(1, 0);
  for (int i = 0; i < 200'000; ++i) sleeps.push_back(path.SleepNs(NextRandom(random)));
  std::sort(sleeps.begin(), sleeps.end());
  EXPECT_GE(sleeps.front(), 100'000u);
  EXPECT_LE(sleeps.front(), 100'100u);
  // 2,000 of them lie beyond: their number is known to some 2 percent, and the tail's slope makes 2 percent of that.
  EXPECT_NEAR(static_cast<double>(sleeps[198'000]), 5e6, 5e5);
  // Half of all: 100 us * 2^(ln 50 / ln 100).
  EXPECT_NEAR(static_cast<double>(sleeps[100'000]), 180'160, 3'000);
  EXPECT_LE(sleeps.back(), 500'000'000u);
}

TEST(SlowPathTest, NoSleepIsLongerThanAHundredTimesThePercentile) {
  EXPECT_EQ(SlowPath(1, 1'000'000).SleepNs(0), 100'000'000'000u);
}

}  // namespace
}  // namespace muster
