#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/private_network.h"

namespace muster {
namespace {

class NetTrafficTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!EnterPrivateNetwork()) GTEST_SKIP() << "needs CAP_SYS_ADMIN for a network of its own";
  }
};

TEST_F(NetTrafficTest, EverySentFrameIsAUnit) {
  GroupFixture group("net_traffic { interface: \"lo\" frame_bytes: 1514 }");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_STREQ(group.record(0).control().noop_reason.bytes, "");
  EXPECT_EQ(group.meter(0).work_units(), 100u);
}

TEST_F(NetTrafficTest, WithoutANetworkDeviceItMarksTimeAndSaysWhy) {
  GroupFixture group("net_traffic {}");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).iterations(), 3u);
  EXPECT_EQ(group.meter(0).work_units(), 0u);
  EXPECT_STREQ(group.record(0).control().noop_reason.bytes, "no network interface with a device behind it");
}

TEST_F(NetTrafficTest, ALongIntervalEndsAtTheStop) {
  GroupFixture group("net_traffic { interface: \"lo\" interval_us: 3600000000 }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
