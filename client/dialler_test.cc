#include "client/dialler.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "base/file_io.h"
#include "tests/support/hybrid_device.h"

namespace muster {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);
const Deadline kAtOnce = Deadline::After(absl::ZeroDuration());

// The test is the device: it answers when it likes.
class DiallerTest : public testing::Test {
 protected:
  HybridDevice device_;
  std::optional<Dialler> dialler_{std::in_place, device_.address(), absl::Hours(1)};
};

TEST_F(DiallerTest, DialThatTheGuestAnswersLateIsGoneOnWith) {
  EXPECT_EQ(dialler_->Dial(kAtOnce).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(dialler_->Dial(kAtOnce).status().code(), absl::StatusCode::kDeadlineExceeded);
  const UniqueFd device = device_.AwaitConnect();
  EXPECT_TRUE(device_.NobodyElseCalls());
  ASSERT_TRUE(WriteAll(device.get(), "OK 1\n").ok());
  EXPECT_TRUE(dialler_->Dial(Deadline::After(kPatience)).ok());
}

TEST_F(DiallerTest, DialThatIsNotAnsweredOutlivesOneThatCannotBeStarted) {
  dialler_.emplace(device_.address(), absl::ZeroDuration());
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  const UniqueFd device = device_.AwaitConnect();
  std::filesystem::rename(device_.socket_path(), device_.socket_path() + ".away");
  EXPECT_EQ(dialler_->Dial(Deadline::After(kPatience)).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(WriteAll(device.get(), "OK 1\n").ok());
  const absl::StatusOr<UniqueFd> answered = dialler_->Dial(kAtOnce);
  EXPECT_TRUE(answered.ok()) << answered.status();
}

TEST_F(DiallerTest, AnswerThatComesInPiecesIsRead) {
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  const UniqueFd device = device_.AwaitConnect();
  ASSERT_TRUE(WriteAll(device.get(), "OK ").ok());
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  ASSERT_TRUE(WriteAll(device.get(), "1\n").ok());
  EXPECT_TRUE(dialler_->Dial(Deadline::After(kPatience)).ok());
}

TEST_F(DiallerTest, DeviceThatHungUpMeanwhileIsAskedAnew) {
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  device_.AwaitConnect();
  EXPECT_EQ(dialler_->Dial(kAtOnce).status().code(), absl::StatusCode::kDeadlineExceeded);
  const UniqueFd device = device_.AwaitConnect();
  ASSERT_TRUE(WriteAll(device.get(), "OK 1\n").ok());
  EXPECT_TRUE(dialler_->Dial(Deadline::After(kPatience)).ok());
}

TEST_F(DiallerTest, DialThatTheDeviceHasLostIsRepeatedAndNotHungUpOn) {
  dialler_.emplace(device_.address(), absl::Milliseconds(1));
  std::vector<UniqueFd> lost;
  UniqueFd last;
  std::thread device([&] {
    for (int i = 0; i < 3; ++i) lost.push_back(device_.AwaitConnect());
    last = device_.AwaitConnect();
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
  UniqueFd device = device_.AwaitConnect();
  ASSERT_TRUE(WriteAll(device.get(), "OK 1\n").ok());
  device.Reset();
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  EXPECT_TRUE(device_.AwaitConnect().valid());
}

TEST_F(DiallerTest, EachAnswerServesOneDial) {
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  const UniqueFd first = device_.AwaitConnect();
  ASSERT_TRUE(WriteAll(first.get(), "OK 1\n").ok());
  const absl::StatusOr<UniqueFd> one = dialler_->Dial(Deadline::After(kPatience));
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_FALSE(dialler_->Dial(kAtOnce).ok());
  EXPECT_TRUE(device_.AwaitConnect().valid());
}

}  // namespace
}  // namespace muster
