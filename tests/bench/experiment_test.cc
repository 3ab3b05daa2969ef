#include "tests/bench/experiment.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

const Row kRow = {"row", "ours", "bare", "ours.ns", "bare.ns", {Goal::Side::kAtMost, 1.0}};

Round RoundOf(double ratio, double foreign_share = 0) {
  Round round;
  round.values = {{"ours.ns", ratio}, {"bare.ns", 1}};
  round.foreign_share = foreign_share;
  return round;
}

std::vector<Round> Take(const std::function<Round(size_t)>& take, const Effort& effort = {}) {
  return TakeRounds({kRow}, effort, take);
}

TEST(TakeRoundsTest, FiveRoundsThatDecideAreEnough) {
  EXPECT_EQ(Take([](size_t) { return RoundOf(0.9); }).size(), 5);
}

TEST(TakeRoundsTest, DisturbedRoundsAreMadeUpFor) {
  const auto rounds = Take([](size_t index) { return RoundOf(0.9, index % 2 == 1 ? 0.5 : 0); });
  EXPECT_EQ(rounds.size(), 9);
}

TEST(TakeRoundsTest, AMachineThatIsNeverQuietIsGivenUpAfterFive) {
  EXPECT_EQ(Take([](size_t) { return RoundOf(0.9, 0.5); }).size(), 5);
}

TEST(TakeRoundsTest, DoubtIsLookedIntoUntilTheMedianIsKnownWellEnough) {
  // Two of the first five are above the goal, none later: two of eleven may be chance, two of twelve are not.
  const auto rounds = Take([](size_t index) { return RoundOf(index < 2 ? 1.1 : 0.9); });
  EXPECT_EQ(rounds.size(), 12);
  EXPECT_EQ(JudgeRow(kRow, rounds, 5).verdict, Verdict::kMet);
}

TEST(TakeRoundsTest, DoubtThatStaysEndsWithTheRoundsForIt) {
  const auto rounds = Take([](size_t index) { return RoundOf(index % 2 == 0 ? 1.1 : 0.9); });
  EXPECT_EQ(rounds.size(), Effort().rounds_in_doubt);
  EXPECT_EQ(JudgeRow(kRow, rounds, 5).verdict, Verdict::kNoisy);
}

TEST(TakeRoundsTest, DoubtEndsWithTheTimeForIt) {
  const auto rounds = Take([](size_t index) { return RoundOf(index % 2 == 0 ? 1.1 : 0.9); }, {.doubt_s = 0});
  EXPECT_EQ(rounds.size(), 5);
}

TEST(TakeRoundsTest, ARoundWithoutValuesIsTheLast) {
  EXPECT_EQ(Take([](size_t) { return Round(); }).size(), 1);
}

}  // namespace
}  // namespace muster::bench
