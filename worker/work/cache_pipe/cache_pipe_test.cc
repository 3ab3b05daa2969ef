#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(CachePipeTest, PartnersWalkAndExchangeByte) {
  GroupFixture group("cache_pipe { burst_iters: 100 }");
  group.RunAll(500);
  for (uint32_t position = 0; position < 2; ++position) {
    const uint64_t iterations = group.meter(position).iterations();
    EXPECT_EQ(group.record(position).store(arena::kWake).head->total.load(), iterations);
    EXPECT_GE(group.meter(position).work_units(), iterations * 100);
    EXPECT_LE(group.meter(position).work_units(), (iterations + 1) * 100);
  }
}

TEST(CachePipeTest, AMemberWithoutItsPartnerBlocksUntilTheStop) {
  GroupFixture group("cache_pipe {}");
  group.Start(1);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_EQ(group.meter(1).iterations(), 0u);
}

}  // namespace
}  // namespace muster
