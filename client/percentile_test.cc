#include "client/percentile.h"

#include <gtest/gtest.h>

#include <numeric>

namespace muster {
namespace {

TEST(PercentileTest, NearestRankOfAHundred) {
  std::vector<uint64_t> samples(100);
  std::iota(samples.rbegin(), samples.rend(), 1);
  EXPECT_EQ(Percentile(samples, 0), 1u);
  EXPECT_EQ(Percentile(samples, 50), 50u);
  EXPECT_EQ(Percentile(samples, 99), 99u);
  EXPECT_EQ(Percentile(samples, 99.5), 100u);
  EXPECT_EQ(Percentile(samples, 100), 100u);
}

TEST(PercentileTest, OneSampleIsEveryPercentile) {
  EXPECT_EQ(Percentile({7}, 0), 7u);
  EXPECT_EQ(Percentile({7}, 100), 7u);
}

TEST(PercentileTest, NoSamplesIsNotZero) { EXPECT_EQ(Percentile({}, 50), std::nullopt); }

TEST(PercentileTest, OutsideOfTheRangeIsItsEnd) {
  EXPECT_EQ(Percentile({1, 2}, -5), 1u);
  EXPECT_EQ(Percentile({1, 2}, 500), 2u);
}

}  // namespace
}  // namespace muster
