#include "base/later.h"

#include <gtest/gtest.h>

#include "base/deadline.h"
#include "base/mutex.h"

namespace muster {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST(LaterTest, AddsWhatItIsGiven) {
  const steady_clock::time_point from(hours(5));
  EXPECT_EQ(Later(from, absl::Seconds(2)), from + seconds(2));
  EXPECT_EQ(Later(from, absl::Seconds(-2)), from - seconds(2));
}

// Whoever else makes an instant of a duration does it in this way.
TEST(LaterTest, EndlessIsAYear) {
  const steady_clock::time_point before = steady_clock::now();
  EXPECT_EQ(Later(before, absl::InfiniteDuration()), before + hours(24 * 365));
  for (const auto endless :
       {Deadline::After(absl::InfiniteDuration()).when(), SteadyDeadline(absl::InfiniteDuration())}) {
    EXPECT_GE(endless, before + hours(24 * 365));
    EXPECT_LE(endless, steady_clock::now() + hours(24 * 365));
  }
}

TEST(LaterTest, DeadlineInThePastHasExpired) {
  EXPECT_TRUE(Deadline::After(-absl::InfiniteDuration()).Expired());
  EXPECT_TRUE(Deadline::After(absl::Seconds(-1)).Expired());
}

}  // namespace
}  // namespace muster
