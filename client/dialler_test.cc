#include "client/dialler.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "base/file_io.h"
#include "base/listener.h"

namespace muster {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);
const Deadline kAtOnce = Deadline::After(absl::ZeroDuration());

// The test is the device: it answers when it likes.
class DiallerTest : public testing::Test {
 protected:
  DiallerTest() {
    char pattern[] = "/tmp/muster_dialler.XXXXXX";
    directory_ = mkdtemp(pattern);
    absl::StatusOr<Listener> listener = Listener::Listen(UnixAddress{directory_ + "/v.sock"});
    EXPECT_TRUE(listener.ok()) << listener.status();
    listener_.emplace(*std::move(listener));
    dialler_.emplace(HybridVsockAddress{directory_ + "/v.sock", 7070}, absl::Hours(1));
  }
  ~DiallerTest() override { std::filesystem::remove_all(directory_); }

  // The next one that asks for the port.
  UniqueFd Accept() {
    absl::StatusOr<AcceptedSocket> accepted = listener_->Accept(kPatience);
    EXPECT_TRUE(accepted.ok()) << accepted.status();
    if (!accepted.ok()) return UniqueFd();
    pollfd entry = {accepted->fd.get(), POLLIN, 0};
    EXPECT_EQ(poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(kPatience))), 1);
    char request[64];
    EXPECT_EQ(std::string(request, read(accepted->fd.get(), request, sizeof(request))), "CONNECT 7070\n");
    return std::move(accepted->fd);
  }
  bool NobodyElseCalls() { return absl::IsDeadlineExceeded(listener_->Accept(absl::ZeroDuration()).status()); }

  std::string directory_;
  std::optional<Listener> listener_;
  std::optional<Dialler> dialler_;
};

TEST_F(DiallerTest, DialThatTheGuestAnswersLateIsGoneOnWith) {
  EXPECT_EQ(dialler_->Dial(kAtOnce).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(dialler_->Dial(kAtOnce).status().code(), absl::StatusCode::kDeadlineExceeded);
  const UniqueFd device = Accept();
  EXPECT_TRUE(NobodyElseCalls());
  ASSERT_TRUE(WriteAll(device.get(), "OK 1\n").ok());
  EXPECT_TRUE(dialler_->Dial(Deadline::After(kPatience)).ok());
}

TEST_F(DiallerTest, DialThatIsNotAnsweredOutlivesOneThatCannotBeStarted) {
  dialler_.emplace(HybridVsockAddress{directory_ + "/v.sock", 7070}, absl::ZeroDuration());
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  const UniqueFd device = Accept();
  std::filesystem::rename(directory_ + "/v.sock", directory_ + "/away");
  EXPECT_EQ(dialler_->Dial(Deadline::After(kPatience)).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(WriteAll(device.get(), "OK 1\n").ok());
  const absl::StatusOr<UniqueFd> answered = dialler_->Dial(kAtOnce);
  EXPECT_TRUE(answered.ok()) << answered.status();
}

TEST_F(DiallerTest, AnswerThatComesInPiecesIsRead) {
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  const UniqueFd device = Accept();
  ASSERT_TRUE(WriteAll(device.get(), "OK ").ok());
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  ASSERT_TRUE(WriteAll(device.get(), "1\n").ok());
  EXPECT_TRUE(dialler_->Dial(Deadline::After(kPatience)).ok());
}

TEST_F(DiallerTest, DeviceThatHungUpMeanwhileIsAskedAnew) {
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  Accept();
  EXPECT_EQ(dialler_->Dial(kAtOnce).status().code(), absl::StatusCode::kDeadlineExceeded);
  const UniqueFd device = Accept();
  ASSERT_TRUE(WriteAll(device.get(), "OK 1\n").ok());
  EXPECT_TRUE(dialler_->Dial(Deadline::After(kPatience)).ok());
}

TEST_F(DiallerTest, DialThatTheDeviceHasLostIsRepeatedAndNotHungUpOn) {
  dialler_.emplace(HybridVsockAddress{directory_ + "/v.sock", 7070}, absl::Milliseconds(1));
  std::vector<UniqueFd> lost;
  UniqueFd last;
  std::thread device([&] {
    for (int i = 0; i < 3; ++i) lost.push_back(Accept());
    last = Accept();
    EXPECT_TRUE(WriteAll(last.get(), "OK 1\n").ok());
  });
  EXPECT_TRUE(dialler_->Dial(Deadline::After(kPatience)).ok());
  device.join();
  for (const UniqueFd& fd : lost) {
    char byte = 0;
    EXPECT_EQ(recv(fd.get(), &byte, 1, MSG_DONTWAIT), -1) << "hung up";
  }
}

TEST_F(DiallerTest, AnswerOfADaemonThatHasHungUpSinceIsPassedOver) {
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  UniqueFd device = Accept();
  ASSERT_TRUE(WriteAll(device.get(), "OK 1\n").ok());
  device.Reset();
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  EXPECT_TRUE(Accept().valid());
}

TEST_F(DiallerTest, EachAnswerServesOneDial) {
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  const UniqueFd first = Accept();
  ASSERT_TRUE(WriteAll(first.get(), "OK 1\n").ok());
  const absl::StatusOr<UniqueFd> one = dialler_->Dial(Deadline::After(kPatience));
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  EXPECT_TRUE(Accept().valid());
}

}  // namespace
}  // namespace muster
