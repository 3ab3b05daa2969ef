#include "worker/host/membership.h"

#include "gtest/gtest.h"

namespace muster::host {
namespace {

CpuSet Here() { return GetAffinity(0).value_or(CpuSet()); }

TEST(CpuVisitTest, TheVisitorIsOnThatCpuAndAfterwardsWhereItCouldBeBefore) {
  const CpuSet home = Here();
  ASSERT_FALSE(home.empty());
  for (const uint32_t cpu : home.Ids()) {
    CpuVisit visit;
    visit.GoTo(cpu);
    EXPECT_EQ(Here().Ids(), std::vector<uint32_t>{cpu});
  }
  EXPECT_EQ(Here(), home);
}

TEST(CpuVisitTest, OneVisitGoesFromCpuToCpu) {
  const CpuSet home = Here();
  {
    CpuVisit visit;
    for (const uint32_t cpu : home.Ids()) visit.GoTo(cpu);
    EXPECT_EQ(Here().Ids(), std::vector<uint32_t>{home.Ids().back()});
  }
  EXPECT_EQ(Here(), home);
}

TEST(CpuVisitTest, ACpuThatIsNotTheVisitorsIsNotVisited) {
  const CpuSet home = Here();
  CpuVisit visit;
  visit.GoTo(CpuSet::kMaxId);
  // By the word of a worker, which may be any.
  visit.GoTo(static_cast<uint32_t>(-1));
  EXPECT_EQ(Here(), home);
}

TEST(LookUpMembershipFilesTest, WhereNoCgroupIsNothingIsDone) { LookUpMembershipFiles(-1); }

}  // namespace
}  // namespace muster::host
