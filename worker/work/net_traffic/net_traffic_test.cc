#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/unique_fd.h"
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

// Of the loopback interface, until the end of the scope.
class ScopedMtu {
 public:
  explicit ScopedMtu(int mtu) : before_(Exchange(SIOCGIFMTU, 0)) { Exchange(SIOCSIFMTU, mtu); }
  ~ScopedMtu() { Exchange(SIOCSIFMTU, before_); }

 private:
  static int Exchange(unsigned long request, int mtu) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq argument = {};
    strcpy(argument.ifr_name, "lo");
    argument.ifr_mtu = mtu;
    EXPECT_EQ(ioctl(socket.get(), request, &argument), 0) << strerror(errno);
    return argument.ifr_mtu;
  }

  const int before_;
};

TEST_F(NetTrafficTest, FramesThatTheInterfaceDoesNotTakeAreRefusedBeforehand) {
  const ScopedMtu mtu(1'000);
  GroupFixture group("net_traffic { interface: \"lo\" frame_bytes: 1514 }");
  EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 0u);
  EXPECT_STREQ(group.record(0).control().noop_reason.bytes,
               "frames of 1514 bytes: the MTU of lo is 1000, so that it takes no more than 1014");
  GroupFixture longest("net_traffic { interface: \"lo\" frame_bytes: 1014 }");
  EXPECT_EQ(longest.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(longest.meter(0).work_units(), 1u);
}

TEST_F(NetTrafficTest, AnInterfaceThatComesToRefuseTheFramesIsReported) {
  GroupFixture group("net_traffic { interface: \"lo\" frame_bytes: 1514 }");
  EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  const ScopedMtu mtu(1'000);
  EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 1u);
  const std::string reason = group.record(0).control().noop_reason.bytes;
  EXPECT_NE(reason.find("EMSGSIZE"), std::string::npos) << reason;
}

TEST_F(NetTrafficTest, ALongIntervalEndsAtTheStop) {
  GroupFixture group("net_traffic { interface: \"lo\" interval_us: 3600000000 }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
}

}  // namespace
}  // namespace muster
