#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/parts/alu.h"

namespace muster {
namespace {

TEST(AluHotTest, AnIterationIs1024StepsAndOneCostAtEveryWidth) {
  for (const char* width : {"SCALAR", "VEC128", "VEC256", "VEC512", "AMX", "WIDEST"}) {
    GroupFixture group(absl::StrCat("alu_hot { width: ", width, " }"));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
    EXPECT_EQ(group.meter(0).work_units(), 10u * 1024) << width;
    EXPECT_EQ(group.record(0).store(arena::kCost).head->total.load(), 10u) << width;
    EXPECT_GT(group.record(0).store(arena::kCost).head->min_ns.load(), 100u) << "1024 dependent steps take their time";
  }
}

TEST(AluHotTest, TheCatalogueSaysWhichWidthsThisCpuLacks) {
  for (const Need& need : FindWorkType(v1::Work::kAluHot)->Describe().needs) {
    const bool amx = need.need.find("AMX") != std::string::npos;
    const bool wide = need.need.find("VEC512") != std::string::npos;
    EXPECT_EQ(need.met, !amx && CpuHasAluWidth(wide ? v1::VEC512 : v1::VEC256)) << need.need;
    EXPECT_FALSE(need.otherwise.empty());
  }
}

}  // namespace
}  // namespace muster
