#include "base/cpu_set.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(CpuSetTest, ListNotationRoundTrips) {
  for (const char* text : {"", "0", "0-3", "0-3,8", "1,3,5", "63-65", "511", "0,4096-4097"}) {
    absl::StatusOr<CpuSet> set = CpuSet::Parse(text);
    ASSERT_TRUE(set.ok()) << text << ": " << set.status();
    EXPECT_EQ(set->ToString(), text);
  }
}

TEST(CpuSetTest, KernelTrailingNewlineIsAccepted) { EXPECT_EQ(CpuSet::Parse("0-1\n")->Count(), 2u); }

TEST(CpuSetTest, BadListsAreRefusedWithThePieceNamed) {
  for (const char* text : {"a", "0-", "-1", "3-1", "0,,1", "1.5", "99999", "0-99999999999"}) {
    EXPECT_FALSE(CpuSet::Parse(text).ok()) << text;
  }
  EXPECT_NE(CpuSet::Parse("0,x7").status().message().find("x7"), absl::string_view::npos);
}

TEST(CpuSetTest, SetAlgebraIgnoresDifferentLengths) {
  const CpuSet small = *CpuSet::Parse("0-3");
  const CpuSet large = *CpuSet::Parse("2-4,200");
  EXPECT_EQ(small.Intersect(large).ToString(), "2-3");
  EXPECT_EQ(small.Union(large).ToString(), "0-4,200");
  EXPECT_TRUE(small.Intersect(large).IsSubsetOf(large));
  EXPECT_FALSE(small.IsSubsetOf(large));
  EXPECT_FALSE(large.Contains(70000));
}

TEST(CpuSetTest, OwnAffinityCanBeReadAndSetAgain) {
  absl::StatusOr<CpuSet> mine = GetAffinity(0);
  ASSERT_TRUE(mine.ok()) << mine.status();
  EXPECT_FALSE(mine->empty());
  EXPECT_TRUE(SetAffinity(0, *mine).ok());
}

TEST(CpuSetTest, AffinityToNoCpuIsAnErrorThatNamesTheTask) {
  const absl::Status status = SetAffinity(0, CpuSet());
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("sched_setaffinity of task 0"), absl::string_view::npos);
}

}  // namespace
}  // namespace muster
