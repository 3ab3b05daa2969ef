#include "worker/parts/alu.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

constexpr uint64_t kMultiplier = 6364136223846793005u;
constexpr uint64_t kIncrement = 1442695040888963407u;

// What `steps` steps make of one lane, by the plainest code.
uint64_t Expected(uint64_t lane, uint64_t steps, bool halves) {
  for (; steps != 0; --steps) {
    lane = halves ? (lane & 0xffffffffu) * (kMultiplier & 0xffffffffu) + kIncrement : lane * kMultiplier + kIncrement;
  }
  return lane;
}

int Lanes(v1::AluWidth width) {
  switch (width) {
    case v1::VEC128:
      return 2;
    case v1::VEC256:
      return 4;
    case v1::VEC512:
      return 8;
    default:
      return 1;
  }
}

class AluWidthTest : public testing::TestWithParam<v1::AluWidth> {};

TEST_P(AluWidthTest, EveryLaneOfItsVectorsAdvancesByExactlyTheStepsAndNoOtherLane) {
  const v1::AluWidth width = GetParam();
  if (!CpuHasAluWidth(width)) GTEST_SKIP() << "this CPU has no " << v1::AluWidth_Name(width);
  const AluState before;
  AluState after;
  AluChains(width)(after, 1000);
  AluChains(width)(after, 24);
  for (int chain = 0; chain < 4; ++chain) {
    for (int lane = 0; lane < 8; ++lane) {
      const bool runs = lane < Lanes(width);
      EXPECT_EQ(after.lanes[chain][lane],
                runs ? Expected(before.lanes[chain][lane], 1024, width != v1::SCALAR) : before.lanes[chain][lane])
          << chain << "/" << lane;
    }
  }
}

TEST_P(AluWidthTest, NoStepsChangeNothing) {
  if (!CpuHasAluWidth(GetParam())) GTEST_SKIP() << "this CPU has no " << v1::AluWidth_Name(GetParam());
  AluState state;
  AluChains(GetParam())(state, 0);
  EXPECT_EQ(state.lanes[3][0], AluState().lanes[3][0]);
}

INSTANTIATE_TEST_SUITE_P(Widths, AluWidthTest, testing::Values(v1::SCALAR, v1::VEC128, v1::VEC256, v1::VEC512),
                         [](const auto& width) { return v1::AluWidth_Name(width.param); });

TEST(AluWidth, ComesDownToOneThatTheCpuHas) {
  for (const v1::AluWidth wanted : {v1::SCALAR, v1::VEC128, v1::VEC256, v1::VEC512, v1::AMX, v1::WIDEST}) {
    EXPECT_TRUE(CpuHasAluWidth(LowerAluWidth(wanted))) << v1::AluWidth_Name(wanted);
    EXPECT_LE(LowerAluWidth(wanted), wanted);
    if (CpuHasAluWidth(wanted)) {
      EXPECT_EQ(LowerAluWidth(wanted), wanted);
    }
  }
  EXPECT_EQ(LowerAluWidth(v1::AMX), LowerAluWidth(v1::WIDEST));
}

TEST(AluWidth, WiderVectorsAreOtherInstructions) {
  EXPECT_NE(AluChains(v1::SCALAR), AluChains(v1::VEC128));
  EXPECT_NE(AluChains(v1::VEC128), AluChains(v1::VEC256));
  EXPECT_NE(AluChains(v1::VEC256), AluChains(v1::VEC512));
}

}  // namespace
}  // namespace muster
