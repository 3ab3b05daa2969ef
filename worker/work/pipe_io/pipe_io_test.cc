#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

TEST(PipeIoTest, PartnersKeepEachOtherGoing) {
  GroupFixture group("pipe_io { burst_iters: 16 }");
  ASSERT_EQ(group.size(), 2u);
  group.RunAll(1'000);
  for (uint32_t position = 0; position < 2; ++position) {
    const uint64_t iterations = group.meter(position).iterations();
    EXPECT_GE(group.meter(position).work_units(), iterations * 16);
    EXPECT_EQ(group.record(position).store(arena::kWake).head->total.load(), iterations) << "one wake per iteration";
  }
  const uint64_t a = group.meter(0).iterations();
  const uint64_t b = group.meter(1).iterations();
  EXPECT_LE(a > b ? a - b : b - a, 1u) << "neither gets ahead of the other's bytes";
}

TEST(PipeIoTest, AMemberWithoutItsPartnerBlocksUntilTheStop) {
  GroupFixture group("pipe_io { burst_iters: 0 }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_EQ(group.meter(0).iterations(), 0u);
}

TEST(PipeIoTest, ALongBurstEndsAtTheStop) {
  GroupFixture group("pipe_io { burst_iters: 1000000000 }");
  group.Start(0);
  group.Start(1);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
