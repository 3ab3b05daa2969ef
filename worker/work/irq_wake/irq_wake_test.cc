#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/private_network.h"

namespace muster {
namespace {

class IrqWakeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!EnterPrivateNetwork()) GTEST_SKIP() << "needs CAP_SYS_ADMIN for a network of its own";
  }
};

TEST_F(IrqWakeTest, EveryFrameWakesTheReceiverOnce) {
  GroupFixture group("irq_wake { interface: \"lo\" interval_us: 200 }");
  group.RunAll(50);
  EXPECT_STREQ(group.record(1).control().noop_reason.bytes, "");
  EXPECT_EQ(group.record(1).store(arena::kWake).head->total.load(), group.meter(1).iterations());
  EXPECT_LE(group.meter(1).iterations(), group.meter(0).work_units()) << "no more wakes than frames";
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 0u);
}

TEST_F(IrqWakeTest, AReceiverWithoutASenderEndsAtTheStop) {
  GroupFixture group("irq_wake { interface: \"lo\" }");
  group.Start(1);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_EQ(group.meter(1).iterations(), 0u);
}

TEST_F(IrqWakeTest, AReceiverThatNeverHearsAnythingSaysSo) {
  GroupFixture group("irq_wake { interface: \"lo\" interval_us: 0 }");
  EXPECT_EQ(group.RunOnce(1), StepResult::kContinue);
  EXPECT_EQ(group.meter(1).work_units(), 0u);
  EXPECT_STRNE(group.record(1).control().noop_reason.bytes, "");
}

TEST_F(IrqWakeTest, WithoutANetworkDeviceBothMarkTimeAndSayWhy) {
  GroupFixture group("irq_wake {}");
  for (uint32_t position : {0u, 1u}) {
    EXPECT_EQ(group.RunOnce(position), StepResult::kContinue);
    EXPECT_EQ(group.meter(position).work_units(), 0u);
    EXPECT_STRNE(group.record(position).control().noop_reason.bytes, "");
  }
}

}  // namespace
}  // namespace muster
