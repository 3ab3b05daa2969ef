#include "worker/host/patience.h"

#include "gtest/gtest.h"

namespace muster::host {
namespace {

TEST(PatienceTest, LastsAsLongAsSomebodyLeaves) {
  Patience patience(3, 1000);
  EXPECT_FALSE(patience.IsOver(4, 10));
  EXPECT_FALSE(patience.IsOver(9, 20));
  EXPECT_TRUE(patience.IsOver(9, 30));
}

TEST(PatienceTest, IsOverAtOnceWhenNobodyLeaves) { EXPECT_TRUE(Patience(3, 1000).IsOver(3, 10)); }

TEST(PatienceTest, EndsAtItsBoundHoweverManyLeave) {
  Patience patience(0, 1000);
  EXPECT_FALSE(patience.IsOver(1, 999));
  EXPECT_TRUE(patience.IsOver(2, 1000));
}

}  // namespace
}  // namespace muster::host
