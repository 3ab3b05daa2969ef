#include "worker/control/channel.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "muster/control/control.pb.h"

namespace muster::control {
namespace {

struct Ends {
  Channel near;
  Channel far;
  int far_fd = -1;
};

Ends MakeEnds() {
  auto pair = Channel::MakePair();
  EXPECT_TRUE(pair.ok()) << pair.status();
  Ends ends;
  ends.near = std::move(pair->first);
  ends.far_fd = pair->second.get();
  ends.far = Channel(std::move(pair->second));
  return ends;
}

Event EventOf(const std::string& text) {
  Event event;
  event.mutable_reply()->set_message(text);
  return event;
}

std::string TextOf(const Frame& frame) {
  Event event;
  EXPECT_TRUE(event.ParseFromString(frame.bytes));
  return event.reply().message();
}

ino_t InodeOf(int fd) {
  struct stat status = {};
  EXPECT_EQ(fstat(fd, &status), 0);
  return status.st_ino;
}

UniqueFd NewFile() { return UniqueFd(memfd_create("channel-test", MFD_CLOEXEC)); }

constexpr absl::Duration kLong = absl::Seconds(10);

TEST(ChannelTest, MessagesArriveInOrderAndWhole) {
  Ends ends = MakeEnds();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(ends.near.Send(EventOf(std::string(i, 'x')), {}, kLong).ok());
  for (int i = 0; i < 100; ++i) {
    auto frame = ends.far.Receive(kLong);
    ASSERT_TRUE(frame.ok()) << frame.status();
    EXPECT_EQ(TextOf(*frame), std::string(i, 'x'));
  }
}

TEST(ChannelTest, AnEmptyMessageIsAMessage) {
  Ends ends = MakeEnds();
  ASSERT_TRUE(ends.near.Send(Event(), {}, kLong).ok());
  auto frame = ends.far.Receive(kLong);
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(frame->bytes, "");
}

TEST(ChannelTest, AMessageLargerThanTheSocketBufferArrives) {
  Ends ends = MakeEnds();
  const std::string text(8 << 20, 'y');
  std::thread sender([&] { EXPECT_TRUE(ends.near.Send(EventOf(text), {}, kLong).ok()); });
  auto frame = ends.far.Receive(kLong);
  sender.join();
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(TextOf(*frame), text);
}

TEST(ChannelTest, DescriptorsStayWithTheirMessage) {
  Ends ends = MakeEnds();
  const UniqueFd first = NewFile();
  const UniqueFd second = NewFile();
  ASSERT_TRUE(ends.near.Send(EventOf("none"), {}, kLong).ok());
  ASSERT_TRUE(ends.near.Send(EventOf("one"), {first.get()}, kLong).ok());
  ASSERT_TRUE(ends.near.Send(EventOf("two"), {second.get(), first.get()}, kLong).ok());
  EXPECT_TRUE(ends.far.Receive(kLong)->descriptors.empty());
  const auto one = ends.far.Receive(kLong);
  ASSERT_EQ(one->descriptors.size(), 1u);
  EXPECT_EQ(InodeOf(one->descriptors[0].get()), InodeOf(first.get()));
  EXPECT_NE(fcntl(one->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  const auto two = ends.far.Receive(kLong);
  ASSERT_EQ(two->descriptors.size(), 2u);
  EXPECT_EQ(InodeOf(two->descriptors[0].get()), InodeOf(second.get()));
  EXPECT_EQ(InodeOf(two->descriptors[1].get()), InodeOf(first.get()));
}

TEST(ChannelTest, MoreDescriptorsThanTheKernelTakesAreRefusedBeforeSending) {
  Ends ends = MakeEnds();
  const absl::Status status =
      ends.near.Send(EventOf("many"), std::vector<int>(kMaxDescriptors + 1, ends.far_fd), kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ends.far.Receive(absl::ZeroDuration()).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(ChannelTest, AClosedPeerIsUnavailableAfterItsLastMessage) {
  Ends ends = MakeEnds();
  ASSERT_TRUE(ends.near.Send(EventOf("last"), {}, kLong).ok());
  ends.near = Channel();
  EXPECT_EQ(TextOf(*ends.far.Receive(kLong)), "last");
  EXPECT_EQ(ends.far.Receive(kLong).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ends.far.Send(EventOf("x"), {}, kLong).code(), absl::StatusCode::kUnavailable);
}

TEST(ChannelTest, ATimeoutLosesNothing) {
  Ends ends = MakeEnds();
  EXPECT_EQ(ends.far.Receive(absl::Milliseconds(1)).status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(ends.near.Send(EventOf("late"), {}, kLong).ok());
  EXPECT_EQ(TextOf(*ends.far.Receive(kLong)), "late");
}

TEST(ChannelTest, HalfAMessageIsKeptUntilTheRestComes) {
  auto pair = Channel::MakePair();
  const UniqueFd raw = std::move(pair->second);
  Channel far = std::move(pair->first);
  const std::string body = EventOf("split").SerializeAsString();
  const uint32_t head[2] = {static_cast<uint32_t>(body.size()), 0};
  ASSERT_EQ(write(raw.get(), head, 5), 5);
  EXPECT_EQ(far.Receive(absl::Milliseconds(1)).status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_EQ(write(raw.get(), reinterpret_cast<const char*>(head) + 5, 3), 3);
  ASSERT_EQ(write(raw.get(), body.data(), 2), 2);
  EXPECT_EQ(far.Receive(absl::Milliseconds(1)).status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_EQ(write(raw.get(), body.data() + 2, body.size() - 2), static_cast<ssize_t>(body.size() - 2));
  EXPECT_EQ(TextOf(*far.Receive(kLong)), "split");
}

TEST(ChannelTest, AnAbsurdLengthIsRefusedWithoutWaitingForIt) {
  auto pair = Channel::MakePair();
  const uint32_t head[2] = {0xffffffff, 0};
  ASSERT_EQ(write(pair->second.get(), head, sizeof(head)), static_cast<ssize_t>(sizeof(head)));
  EXPECT_EQ(pair->first.Receive(kLong).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ChannelTest, APeerThatDoesNotReadIsADeadline) {
  Ends ends = MakeEnds();
  const Event large = EventOf(std::string(8 << 20, 'z'));
  EXPECT_EQ(ends.near.Send(large, {}, absl::Milliseconds(20)).code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace muster::control
