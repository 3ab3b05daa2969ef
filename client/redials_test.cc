#include "client/redials.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

Deadline Never() { return Deadline::After(absl::Hours(1)); }

TEST(RedialsTest, PeerThatHangsUpGetsSoManyTriesInARow) {
  Redials redials(absl::Hours(1), absl::Hours(1));
  for (int i = 1; i < Redials::kMaxHangUps; ++i) EXPECT_TRUE(redials.TryAgain(Never())) << i;
  EXPECT_FALSE(redials.TryAgain(Never()));
}

TEST(RedialsTest, SilentPeerIsTriedForItsWholePatience) {
  // Everything is silence.
  Redials redials(absl::Hours(1), absl::ZeroDuration());
  for (int i = 0; i < 10 * Redials::kMaxHangUps; ++i) EXPECT_TRUE(redials.TryAgain(Never())) << i;
}

TEST(RedialsTest, PatienceEnds) {
  Redials redials(absl::ZeroDuration(), absl::ZeroDuration());
  EXPECT_FALSE(redials.TryAgain(Never()));
}

TEST(RedialsTest, NobodyIsTriedBeyondTheDeadlineOfTheCall) {
  Redials redials(absl::Hours(1), absl::ZeroDuration());
  EXPECT_FALSE(redials.TryAgain(Deadline::After(absl::ZeroDuration())));
}

TEST(RedialsTest, ProgressForgetsWhatWasBefore) {
  Redials redials(absl::Hours(1), absl::Hours(1));
  for (int i = 1; i < Redials::kMaxHangUps; ++i) EXPECT_TRUE(redials.TryAgain(Never()));
  redials.NoteProgress();
  for (int i = 1; i < Redials::kMaxHangUps; ++i) EXPECT_TRUE(redials.TryAgain(Never()));
  EXPECT_FALSE(redials.TryAgain(Never()));
}

TEST(RedialsTest, SilenceBetweenHangUpsBeginsTheirCountAnew) {
  Redials redials(absl::Hours(1), absl::Milliseconds(200));
  for (int i = 1; i < Redials::kMaxHangUps; ++i) {
    redials.Begin();
    EXPECT_TRUE(redials.TryAgain(Never()));
  }
  redials.Begin();
  const Deadline silent = Deadline::After(absl::Milliseconds(200));
  while (!silent.Expired()) {
  }
  EXPECT_TRUE(redials.TryAgain(Never()));
  redials.Begin();
  EXPECT_TRUE(redials.TryAgain(Never()));
}

TEST(RedialsTest, DialsHaveThePatienceFromTheFirstBreakOn) {
  Redials redials(absl::Minutes(10), absl::ZeroDuration());
  EXPECT_GT(redials.Until().Remaining(), absl::Minutes(9));
  ASSERT_TRUE(redials.TryAgain(Never()));
  const Deadline until = redials.Until();
  ASSERT_TRUE(redials.TryAgain(Never()));
  EXPECT_EQ(redials.Until().when(), until.when());
  redials.NoteProgress();
  EXPECT_GT(redials.Until().when(), until.when());
}

TEST(RedialsTest, WhoGivesUpSaysWhetherItWasTheTimeThatEnded) {
  const absl::Status broken = absl::UnavailableError("watch of pool p1: connection closed");
  EXPECT_EQ(Redials::GivenUp(broken, Deadline::After(absl::Hours(1))), broken);
  EXPECT_EQ(Redials::GivenUp(broken, Deadline::After(absl::ZeroDuration())),
            absl::DeadlineExceededError("watch of pool p1: connection closed; no time left to dial again"));
}

}  // namespace
}  // namespace muster
