#include "tests/bench/statistics.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

constexpr Goal kAtMostOne = {Goal::Side::kAtMost, 1.0};
constexpr Goal kAtLeastOne = {Goal::Side::kAtLeast, 1.0};

TEST(QuartilesTest, InterpolatesBetweenNeighbours) {
  const Quartiles quartiles = QuartilesOf({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(quartiles.lower, 1.75);
  EXPECT_DOUBLE_EQ(quartiles.median, 2.5);
  EXPECT_DOUBLE_EQ(quartiles.upper, 3.25);
}

TEST(QuartilesTest, OfOneNumberAreThatNumber) { EXPECT_DOUBLE_EQ(QuartilesOf({7}).lower, 7); }

TEST(JudgeTest, AGoalThatIsClearlyKeptIsMet) {
  EXPECT_EQ(Judge(kAtMostOne, {{0.8, 0.82, 0.79, 0.81, 0.8}, 5}), Verdict::kMet);
  EXPECT_EQ(Judge(kAtLeastOne, {{1.2, 1.1, 1.15, 1.2, 1.3}, 5}), Verdict::kMet);
}

TEST(JudgeTest, AGoalThatIsClearlyNotKeptIsMissed) {
  EXPECT_EQ(Judge(kAtMostOne, {{1.2, 1.1, 1.15, 1.2, 1.3}, 5}), Verdict::kMissed);
  EXPECT_EQ(Judge(kAtLeastOne, {{0.8, 0.82, 0.79, 0.81, 0.8}, 5}), Verdict::kMissed);
}

TEST(JudgeTest, AGoalWithinTheSpreadIsNeitherMetNorMissed) {
  EXPECT_EQ(Judge(kAtMostOne, {{0.7, 0.8, 0.9, 1.2, 1.3}, 5}), Verdict::kNoisy);
  EXPECT_EQ(Judge(kAtMostOne, {{0.7, 0.8, 1.1, 1.2, 1.3}, 5}), Verdict::kNoisy);
}

// 15 numbers: 2 * P(at most 3 of 15 below the median) = 0.035, of 4 it is 0.118.
TEST(MedianIntervalTest, LeavesOutAsManyAsTheBinomialDistributionAllows) {
  std::vector<double> values;
  for (int i = 15; i > 0; --i) values.push_back(i);
  EXPECT_EQ(MedianInterval(values).lower, 4);
  EXPECT_EQ(MedianInterval(values).upper, 12);
}

TEST(MedianIntervalTest, OfSixNumbersIsAllOfThem) {
  const Interval interval = MedianInterval({6, 2, 3, 4, 5, 1});
  EXPECT_EQ(interval.lower, 1);
  EXPECT_EQ(interval.upper, 6);
}

TEST(JudgeTest, ManyPairsDecideWhatTheirMiddleHalfDoesNot) {
  // 19 of 26 below the goal: the upper quartile is above it.
  std::vector<double> ratios(19, 0.9);
  ratios.resize(26, 1.1);
  EXPECT_GT(QuartilesOf(ratios).upper, 1);
  EXPECT_EQ(Judge(kAtMostOne, {ratios, 5}), Verdict::kMet);
}

TEST(JudgeTest, ManyPairsOnBothSidesStayNoise) {
  std::vector<double> ratios;
  for (int i = 0; i < 25; ++i) ratios.push_back(i % 2 == 0 ? 0.9 : 1.1);
  EXPECT_EQ(Judge(kAtMostOne, {ratios, 5}), Verdict::kNoisy);
}

TEST(JudgeTest, TooFewUndisturbedPairsAreNoise) {
  EXPECT_EQ(Judge(kAtMostOne, {{0.8, 0.8, 0.8, 0.8}, 5}), Verdict::kNoisy);
}

TEST(JudgeTest, AQuickRunClaimsNothing) { EXPECT_EQ(Judge(kAtMostOne, {{2, 2, 2}, 3}), Verdict::kTooFew); }

}  // namespace
}  // namespace muster::bench
