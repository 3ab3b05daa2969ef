#include "base/dial.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/listener.h"

namespace muster {
namespace {

constexpr absl::Duration kSoon = absl::Seconds(10);
constexpr absl::Duration kShort = absl::Milliseconds(50);

class DialTest : public testing::Test {
 protected:
  DialTest() {
    char pattern[] = "/tmp/muster_dial.XXXXXX";
    directory_ = mkdtemp(pattern);
  }
  ~DialTest() override { EXPECT_EQ(rmdir(directory_.c_str()), 0); }

  UnixAddress SocketPath() const { return UnixAddress{directory_ + "/s"}; }

  std::string directory_;
};

TEST_F(DialTest, NobodyListeningIsUnavailableAndNamed) {
  const absl::Status status = Dial(SocketPath(), kSoon).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), SocketPath().path)) << status;
}

TEST_F(DialTest, ClosedTcpPortIsUnavailable) {
  Address freed;
  {
    absl::StatusOr<Listener> listener = Listener::Listen(TcpAddress{"127.0.0.1", 0});
    freed = listener->address();
  }
  EXPECT_EQ(Dial(freed, kSoon).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(DialTest, ListenerThatNeverAcceptsHoldsNobodyBeyondTheDeadline) {
  absl::StatusOr<Listener> listener = Listener::Listen(SocketPath());
  // A backlog of none holds one connection.
  ASSERT_EQ(listen(listener->fd(), 0), 0);
  absl::StatusOr<UniqueFd> first = Dial(SocketPath(), kSoon);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Dial(SocketPath(), kShort).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(DialTest, TcpBeyondLoopbackIsRefusedBeforeAnyPacket) {
  EXPECT_EQ(Dial(TcpAddress{"192.0.2.1", 1}, kSoon).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(DialTest, AnyCidCannotBeDialled) {
  EXPECT_EQ(Dial(VsockAddress{VsockAddress::kAnyCid, 1}, kSoon).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DialTest, VsockLoopbackCarriesBytesAndIdentity) {
  if (access("/sys/module/vsock_loopback", F_OK) != 0) GTEST_SKIP() << "this kernel has no vsock loopback";
  absl::StatusOr<Listener> listener = Listener::Listen(VsockAddress{VsockAddress::kAnyCid, 0});
  ASSERT_TRUE(listener.ok()) << listener.status();
  constexpr uint32_t kLocalCid = 1;
  absl::StatusOr<UniqueFd> client =
      Dial(VsockAddress{kLocalCid, std::get<VsockAddress>(listener->address()).port}, kSoon);
  ASSERT_TRUE(client.ok()) << client.status();
  absl::StatusOr<AcceptedSocket> accepted = listener->Accept(kSoon);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(std::get<VsockPeer>(accepted->peer).cid, kLocalCid);
}

// The hypervisor's end: accepts one connection and runs `behaviour` on it.
class HybridDialTest : public DialTest {
 protected:
  absl::StatusOr<UniqueFd> DialAgainst(std::function<void(int)> behaviour, absl::Duration timeout) {
    absl::StatusOr<Listener> listener = Listener::Listen(SocketPath());
    if (!listener.ok()) return listener.status();
    std::thread device([&] {
      absl::StatusOr<AcceptedSocket> accepted = listener->Accept(kSoon);
      if (accepted.ok()) behaviour(accepted->fd.get());
    });
    absl::StatusOr<UniqueFd> result = Dial(HybridVsockAddress{SocketPath().path, 5000}, timeout);
    device.join();
    return result;
  }

  static std::string ReadSome(int fd) {
    pollfd entry = {fd, POLLIN, 0};
    poll(&entry, 1, 10'000);
    char buffer[64];
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    return std::string(buffer, got > 0 ? got : 0);
  }
};

TEST_F(HybridDialTest, RequestComesInOnePieceAndBytesAfterTheAnswerStayInTheStream) {
  std::string request;
  absl::StatusOr<UniqueFd> fd = DialAgainst(
      [&](int device) {
        request = ReadSome(device);
        EXPECT_TRUE(WriteAll(device, "OK 1073741824\nhello").ok());
      },
      kSoon);
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_EQ(request, "CONNECT 5000\n");
  EXPECT_EQ(ReadSome(fd->get()), "hello");
}

TEST_F(HybridDialTest, CloseWithoutAnAnswerMeansNobodyListensInTheGuest) {
  const absl::Status status = DialAgainst([](int device) { ReadSome(device); }, kSoon).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "nobody listens")) << status;
}

TEST_F(HybridDialTest, CloseBeforeTheRequestMeansTheSame) {
  EXPECT_EQ(DialAgainst([](int) {}, kSoon).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(HybridDialTest, AnotherAnswerIsShown) {
  const absl::Status status =
      DialAgainst([](int device) { EXPECT_TRUE(WriteAll(device, "ERR 7\n").ok()); }, kSoon).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "handshake refused")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "ERR 7")) << status;
}

TEST_F(HybridDialTest, EndlessAnswerIsCutOff) {
  EXPECT_EQ(
      DialAgainst([](int device) { EXPECT_TRUE(WriteAll(device, std::string(200, 'x')).ok()); }, kSoon).status().code(),
      absl::StatusCode::kUnavailable);
}

TEST_F(HybridDialTest, SilenceEndsAtTheDeadlineThoughBytesTrickleIn) {
  const absl::Status status = DialAgainst(
                                  [](int device) {
                                    EXPECT_TRUE(WriteAll(device, "O").ok());
                                    // Until the dialler hangs up.
                                    ReadSome(device);
                                    ReadSome(device);
                                  },
                                  kShort)
                                  .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

}  // namespace
}  // namespace muster
