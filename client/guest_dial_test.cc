#include "client/guest_dial.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "base/dial.h"
#include "base/file_io.h"
#include "base/listener.h"

namespace muster {
namespace {

absl::StatusOr<UniqueFd> Patiently(const Address& address, const Deadline& deadline) {
  return DialPatiently(address, deadline, [&](const Deadline& until) { return Dial(address, until.Remaining()); });
}

Deadline Ample() { return Deadline::After(absl::Minutes(1)); }

// The hypervisor's end of a hybrid vsock.
class GuestDialTest : public testing::Test {
 protected:
  // What the device does with one connection.
  using Behaviour = std::function<void(int)>;

  GuestDialTest() {
    char pattern[] = "/tmp/muster_guest_dial.XXXXXX";
    directory_ = mkdtemp(pattern);
  }
  ~GuestDialTest() override { EXPECT_EQ(rmdir(directory_.c_str()), 0); }

  HybridVsockAddress Device() const { return {directory_ + "/v.sock", 7070}; }

  // Each connection gets the next behaviour. Returns when the dialler has; all of them must have been used up.
  absl::StatusOr<UniqueFd> DialAgainst(const std::vector<Behaviour>& behaviours, const Deadline& deadline) {
    absl::StatusOr<Listener> listener = Listener::Listen(UnixAddress{Device().path});
    if (!listener.ok()) return listener.status();
    std::thread device([&] {
      for (const Behaviour& behaviour : behaviours) {
        absl::StatusOr<AcceptedSocket> accepted = listener->Accept(absl::Seconds(30));
        EXPECT_TRUE(accepted.ok()) << accepted.status();
        if (!accepted.ok()) return;
        behaviour(accepted->fd.get());
      }
    });
    absl::StatusOr<UniqueFd> fd = Patiently(Device(), deadline);
    device.join();
    return fd;
  }

  // As a device does whose guest is not up.
  static void HangUp(int) {}
  static void Answer(int fd) { EXPECT_TRUE(WriteAll(fd, "OK 1024\n").ok()); }
  // Until the dialler gives up: its request was lost.
  static void BeSilent(int fd) {
    pollfd entry = {fd, POLLRDHUP, 0};
    EXPECT_EQ(poll(&entry, 1, 30'000), 1) << "the dialler never gave up";
  }

  std::string directory_;
};

TEST_F(GuestDialTest, AGuestThatStillBootsIsReachedWhenItIsUp) {
  const auto fd = DialAgainst({HangUp, HangUp, HangUp, Answer}, Ample());
  EXPECT_TRUE(fd.ok()) << fd.status();
}

TEST_F(GuestDialTest, ARequestThatWasLostIsMadeAgain) {
  const auto fd = DialAgainst({BeSilent, Answer}, Ample());
  EXPECT_TRUE(fd.ok()) << fd.status();
}

TEST_F(GuestDialTest, AGuestThatNeverComesIsGivenUpAtTheDeadlineWithTheLastReason) {
  absl::StatusOr<Listener> listener = Listener::Listen(UnixAddress{Device().path});
  ASSERT_TRUE(listener.ok()) << listener.status();
  const Deadline deadline = Deadline::After(absl::Milliseconds(500));
  std::thread device([&] {
    while (!deadline.Expired()) listener->Accept(deadline.Remaining()).status().IgnoreError();
  });
  const absl::Status status = Patiently(Device(), deadline).status();
  device.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "nobody listens")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "(tried ")) << status;
}

TEST_F(GuestDialTest, ADeviceThatIsNotThereYetIsWaitedFor) {
  const absl::Status status = Patiently(Device(), Deadline::After(absl::Milliseconds(200))).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "(tried ")) << status;
}

TEST_F(GuestDialTest, ADaemonOfThisMachineIsNotWaitedFor) {
  const Deadline deadline = Ample();
  const absl::Status status = Patiently(UnixAddress{directory_ + "/s"}, deadline).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "tried")) << status;
  EXPECT_FALSE(deadline.Expired());
}

TEST_F(GuestDialTest, AnAddressThatNobodyCanHaveIsRefusedAtOnce) {
  const Deadline deadline = Ample();
  EXPECT_EQ(Patiently(VsockAddress{VsockAddress::kAnyCid, 1}, deadline).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(deadline.Expired());
}

}  // namespace
}  // namespace muster
