#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(SmtSiblingSpinTest, AnIterationIs1024StepsAndOneCost) {
  GroupFixture group("smt_sibling_spin {}");
  EXPECT_EQ(group.size(), 2u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(group.RunOnce(1), StepResult::kContinue);
  EXPECT_EQ(group.meter(1).work_units(), 5u * 1024);
  EXPECT_EQ(group.record(1).store(arena::kCost).head->total.load(), 5u);
}

}  // namespace
}  // namespace muster
