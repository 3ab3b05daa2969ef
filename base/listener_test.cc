#include "base/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/dial.h"

namespace muster {
namespace {

constexpr absl::Duration kSoon = absl::Seconds(10);

class ListenerTest : public testing::Test {
 protected:
  // Socket paths are short; Bazel's own temporary directories are not.
  ListenerTest() {
    char pattern[] = "/tmp/muster_listener.XXXXXX";
    directory_ = mkdtemp(pattern);
  }
  ~ListenerTest() override { EXPECT_EQ(rmdir(directory_.c_str()), 0) << "something was left in " << directory_; }

  UnixAddress SocketPath() const { return UnixAddress{directory_ + "/s"}; }

  // What a listener leaves that was killed.
  void LeaveStaleFile() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    SocketPath().path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const UniqueFd dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }

  std::string directory_;
};

TEST_F(ListenerTest, UnixPeerIsKnownByItsCredentials) {
  absl::StatusOr<Listener> listener = Listener::Listen(SocketPath());
  ASSERT_TRUE(listener.ok()) << listener.status();
  absl::StatusOr<UniqueFd> client = Dial(listener->address(), kSoon);
  ASSERT_TRUE(client.ok()) << client.status();
  absl::StatusOr<AcceptedSocket> accepted = listener->Accept(kSoon);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  const auto& peer = std::get<UnixPeer>(accepted->peer);
  EXPECT_EQ(peer.pid, getpid());
  EXPECT_EQ(peer.uid, getuid());
  EXPECT_EQ(peer.gid, getgid());
  EXPECT_EQ(FormatPeer(accepted->peer), absl::StrCat("pid ", getpid(), " uid ", getuid(), " gid ", getgid()));
}

TEST_F(ListenerTest, AcceptedDescriptorsAreNonBlockingAndCloseOnExec) {
  absl::StatusOr<Listener> listener = Listener::Listen(SocketPath());
  absl::StatusOr<UniqueFd> client = Dial(listener->address(), kSoon);
  absl::StatusOr<AcceptedSocket> accepted = listener->Accept(kSoon);
  for (const int fd : {client->get(), accepted->fd.get(), listener->fd()}) {
    EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_F(ListenerTest, SocketFileIsOnlyForItsOwnerWhateverTheUmask) {
  const mode_t before = umask(0);
  absl::StatusOr<Listener> listener = Listener::Listen(SocketPath());
  umask(before);
  ASSERT_TRUE(listener.ok()) << listener.status();
  struct stat file;
  ASSERT_EQ(stat(SocketPath().path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0600u);
}

TEST_F(ListenerTest, EndOfTheListenerRemovesItsFile) {
  { ASSERT_TRUE(Listener::Listen(SocketPath()).ok()); }
  EXPECT_NE(access(SocketPath().path.c_str(), F_OK), 0);
}

TEST_F(ListenerTest, StaleFileIsReplaced) {
  LeaveStaleFile();
  absl::StatusOr<Listener> listener = Listener::Listen(SocketPath());
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(Dial(SocketPath(), kSoon).ok());
}

TEST_F(ListenerTest, OfManyWhoFindAStaleFileOneTakesItsPlace) {
  LeaveStaleFile();
  std::vector<std::future<absl::StatusOr<Listener>>> attempts;
  for (int i = 0; i < 8; ++i) {
    attempts.push_back(std::async(std::launch::async, [this] { return Listener::Listen(SocketPath()); }));
  }
  std::vector<absl::StatusOr<Listener>> results;
  for (auto& attempt : attempts) results.push_back(attempt.get());
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](const auto& r) { return r.ok(); }), 1);
  EXPECT_EQ(
      std::count_if(results.begin(), results.end(), [](const auto& r) { return absl::IsAlreadyExists(r.status()); }),
      7);
  EXPECT_TRUE(Dial(SocketPath(), kSoon).ok());
}

TEST_F(ListenerTest, LiveListenerIsNotDisplaced) {
  absl::StatusOr<Listener> first = Listener::Listen(SocketPath());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(Listener::Listen(SocketPath()).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Dial(SocketPath(), kSoon).ok());
}

TEST_F(ListenerTest, OrdinaryFileIsNeverReplaced) {
  std::ofstream(SocketPath().path) << "precious";
  EXPECT_EQ(Listener::Listen(SocketPath()).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(unlink(SocketPath().path.c_str()), 0);
}

TEST_F(ListenerTest, AnotherOnesFileOutlivesUs) {
  absl::StatusOr<Listener> first = Listener::Listen(SocketPath());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(unlink(SocketPath().path.c_str()), 0);
  absl::StatusOr<Listener> second = Listener::Listen(SocketPath());
  ASSERT_TRUE(second.ok()) << second.status();
  { const Listener ends = *std::move(first); }
  EXPECT_TRUE(Dial(SocketPath(), kSoon).ok());
}

TEST_F(ListenerTest, MissingDirectoryIsNamed) {
  const absl::Status status = Listener::Listen(UnixAddress{directory_ + "/none/s"}).status();
  EXPECT_TRUE(absl::StrContains(status.message(), directory_ + "/none")) << status;
}

TEST_F(ListenerTest, AcceptWithoutAClientEndsAtItsDeadline) {
  absl::StatusOr<Listener> listener = Listener::Listen(SocketPath());
  EXPECT_EQ(listener->Accept(absl::ZeroDuration()).status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ListenerTest, StopEndsAWaitingAcceptAndEveryLaterOne) {
  absl::StatusOr<Listener> listener = Listener::Listen(SocketPath());
  ASSERT_TRUE(listener.ok()) << listener.status();
  auto waiting = std::async(std::launch::async, [&] { return listener->Accept(absl::InfiniteDuration()).status(); });
  listener->Stop();
  EXPECT_EQ(waiting.get().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(listener->Accept(kSoon).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(ListenerTest, AnInheritedSocketIsTakenOverAndItsFileStays) {
  absl::StatusOr<Listener> maker = Listener::Listen(SocketPath());
  ASSERT_TRUE(maker.ok()) << maker.status();
  {
    absl::StatusOr<Listener> heir = Listener::Adopt(UniqueFd(dup(maker->fd())));
    ASSERT_TRUE(heir.ok()) << heir.status();
    EXPECT_EQ(FormatAddress(heir->address()), FormatAddress(maker->address()));
    const absl::StatusOr<UniqueFd> client = Dial(heir->address(), kSoon);
    EXPECT_TRUE(heir->Accept(kSoon).ok());
  }
  EXPECT_TRUE(Dial(maker->address(), kSoon).ok());
}

TEST_F(ListenerTest, AnInheritedTcpSocketTellsItsPort) {
  absl::StatusOr<Listener> maker = Listener::Listen(TcpAddress{"127.0.0.1", 0});
  ASSERT_TRUE(maker.ok()) << maker.status();
  absl::StatusOr<Listener> heir = Listener::Adopt(UniqueFd(dup(maker->fd())));
  ASSERT_TRUE(heir.ok()) << heir.status();
  EXPECT_EQ(FormatAddress(heir->address()), FormatAddress(maker->address()));
}

TEST_F(ListenerTest, ADescriptorThatDoesNotListenIsRefused) {
  for (const int fd : {socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), open("/dev/null", O_RDWR | O_CLOEXEC), -1}) {
    EXPECT_EQ(Listener::Adopt(UniqueFd(fd)).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(ListenerTest, TcpPortZeroBecomesTheRealOne) {
  absl::StatusOr<Listener> listener = Listener::Listen(TcpAddress{"127.0.0.1", 0});
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_NE(std::get<TcpAddress>(listener->address()).port, 0);
  absl::StatusOr<UniqueFd> client = Dial(listener->address(), kSoon);
  ASSERT_TRUE(client.ok()) << client.status();
  absl::StatusOr<AcceptedSocket> accepted = listener->Accept(kSoon);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_TRUE(absl::StartsWith(std::get<TcpPeer>(accepted->peer).address, "127.0.0.1:"));
}

TEST_F(ListenerTest, TcpBeyondLoopbackIsRefusedWithTheReason) {
  for (const char* host : {"0.0.0.0", "10.0.0.1", "::", "example.org"}) {
    const absl::Status status = Listener::Listen(TcpAddress{host, 0}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << host;
    EXPECT_TRUE(absl::StrContains(status.message(), "TLS with client certificates")) << status;
  }
}

TEST_F(ListenerTest, NamesAreNotLookedUp) {
  const absl::Status status = Listener::Listen(TcpAddress{"example.org", 0}, TcpReach::kAnywhere).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "names are not looked up")) << status;
}

TEST_F(ListenerTest, HybridAddressIsForDiallingOnly) {
  EXPECT_EQ(Listener::Listen(HybridVsockAddress{SocketPath().path, 1}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace muster
