#include "daemon/listen/acceptor.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "base/dial.h"
#include "base/mutex.h"
#include "base/no_threads_testing.h"

namespace muster {
namespace {

constexpr absl::Duration kSoon = absl::Seconds(20);

// Keeps what an acceptor hands on.
class Lobby {
 public:
  void Take(AcceptedSocket socket) {
    MutexLock lock(&mutex_);
    sockets_.push_back(std::move(socket));
    changed_.NotifyAll();
  }

  bool Await(size_t count) {
    const auto deadline = SteadyDeadline(kSoon);
    MutexLock lock(&mutex_);
    while (sockets_.size() < count) {
      if (!changed_.WaitUntil(&mutex_, deadline)) return sockets_.size() >= count;
    }
    return true;
  }

  size_t size() {
    MutexLock lock(&mutex_);
    return sockets_.size();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<AcceptedSocket> sockets_;
};

Listener Loopback() { return *Listener::Listen(TcpAddress{"127.0.0.1", 0}); }

TEST(Admission, RootAndTheOwnerMayConnectOverAUnixSocket) {
  EXPECT_TRUE(CheckAdmission(UnixPeer{1, 0, 0}, {.owner = 1000}).ok());
  EXPECT_TRUE(CheckAdmission(UnixPeer{1, 1000, 5}, {.owner = 1000}).ok());
  EXPECT_EQ(CheckAdmission(UnixPeer{1, 1001, 1000}, {.owner = 1000}).code(), absl::StatusCode::kPermissionDenied);
}

TEST(Admission, OverVsockOnlyTheHostMayConnectUnlessTheFlagSaysMore) {
  EXPECT_TRUE(CheckAdmission(VsockPeer{2, 5}, {}).ok());
  EXPECT_FALSE(CheckAdmission(VsockPeer{1, 5}, {}).ok());
  EXPECT_TRUE(CheckAdmission(VsockPeer{1, 5}, {.vsock_local = true}).ok());
  EXPECT_FALSE(CheckAdmission(VsockPeer{7, 5}, {.vsock_local = true}).ok());
}

TEST(Acceptor, HandsOnEveryConnection) {
  Lobby lobby;
  const auto acceptor = *Acceptor::Start(Loopback(), {}, [&](AcceptedSocket socket) { lobby.Take(std::move(socket)); });
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(*Dial(acceptor->address(), kSoon));
  EXPECT_TRUE(lobby.Await(10));
}

TEST(Acceptor, EndsWhileItWaits) {
  Lobby lobby;
  auto acceptor = *Acceptor::Start(Loopback(), {}, [&](AcceptedSocket socket) { lobby.Take(std::move(socket)); });
  const Address address = acceptor->address();
  acceptor.reset();
  EXPECT_FALSE(Dial(address, absl::Seconds(1)).ok());
  EXPECT_EQ(lobby.size(), 0u);
}

TEST(Acceptor, WithoutRoomForAThreadItsListenerIsClosed) {
  Listener listener = Loopback();
  const Address address = listener.address();
  const NoThreadsForTesting full;
  const absl::Status status = Acceptor::Start(std::move(listener), {}, [](AcceptedSocket) {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_FALSE(Dial(address, absl::Seconds(1)).ok());
}

TEST(Acceptor, SurvivesHavingNoDescriptorLeft) {
  Lobby lobby;
  const auto acceptor = *Acceptor::Start(Loopback(), {}, [&](AcceptedSocket socket) { lobby.Take(std::move(socket)); });
  UniqueFd client = *Dial(acceptor->address(), kSoon);
  ASSERT_TRUE(lobby.Await(1));
  // The client of the second connection has the last descriptor there is.
  rlimit former;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &former), 0);
  const UniqueFd last(dup(client.get()));
  rlimit few = former;
  few.rlim_cur = static_cast<rlim_t>(last.get()) + 2;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const absl::StatusOr<UniqueFd> second = Dial(acceptor->address(), kSoon);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &former), 0);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(lobby.Await(2));
}

}  // namespace
}  // namespace muster
