// musterd under a service manager, whose part the test plays.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/cpu_set.h"
#include "base/dial.h"
#include "base/file_io.h"
#include "base/listener.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

// Where the daemon says how it is: a datagram socket with an abstract name of the kernel's choice.
class NotifySocket {
 public:
  NotifySocket() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un any{};
    any.sun_family = AF_UNIX;
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any.sun_family)), 0);
    sockaddr_un bound{};
    socklen_t size = sizeof(bound);
    EXPECT_EQ(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
    name_ = "@" + std::string(bound.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
  }

  const std::string& name() const { return name_; }

  // What is said next; empty: nothing within `patience`.
  std::string Next(absl::Duration patience) const {
    pollfd entry = {fd_.get(), POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) <= 0) return "";
    char text[256];
    const ssize_t got = recv(fd_.get(), text, sizeof(text), 0);
    return got < 0 ? "" : std::string(text, got);
  }

 private:
  UniqueFd fd_;
  std::string name_;
};

// proc_pid_stat(5): the fourth word; the second one, the name, has no blanks here.
pid_t ParentOf(pid_t pid) {
  const std::vector<std::string> words = absl::StrSplit(*ReadFile(absl::StrCat("/proc/", pid, "/stat")), ' ');
  pid_t parent = -1;
  EXPECT_TRUE(absl::SimpleAtoi(words.at(3), &parent));
  return parent;
}

class SystemdTest : public LiveTest {
 protected:
  // Each test starts a daemon of its own kind.
  void SetUp() override {}

  NotifySocket notify_;
};

TEST_F(SystemdTest, ManagerIsToldOfTheBeginOfLifeAndOfTheEnd) {
  StartDaemon({.environment = {"NOTIFY_SOCKET=" + notify_.name(), "WATCHDOG_USEC=300000"}});
  EXPECT_TRUE(absl::StartsWith(notify_.Next(kPatience), "READY=1"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(notify_.Next(kPatience), "WATCHDOG=1");
  client_.reset();
  ASSERT_TRUE(daemon_->End(SIGTERM, Deadline::After(kPatience)).ok());
  daemon_ended_ = true;
  std::string last = "WATCHDOG=1";
  while (last == "WATCHDOG=1") last = notify_.Next(kPatience);
  EXPECT_EQ(last, "STOPPING=1");
}

TEST_F(SystemdTest, WithoutAWatchdogThereIsNoPing) {
  StartDaemon({.environment = {"NOTIFY_SOCKET=" + notify_.name()}});
  EXPECT_TRUE(absl::StartsWith(notify_.Next(kPatience), "READY=1"));
  client_.reset();
  ASSERT_TRUE(daemon_->End(SIGTERM, Deadline::After(kPatience)).ok());
  daemon_ended_ = true;
  EXPECT_EQ(notify_.Next(kPatience), "STOPPING=1");
}

// The one thread for handlers waits for a pool host that stands still: the process lives, and serves nobody.
TEST_F(SystemdTest, DaemonThatServesNobodyDoesNotPing) {
  StartDaemon({.flags = {"--max-handler-threads=1"},
               .environment = {"NOTIFY_SOCKET=" + notify_.name(), "WATCHDOG_USEC=600000"}});
  EXPECT_TRUE(absl::StartsWith(notify_.Next(kPatience), "READY=1"));
  WorkloadHandle handle = MustSpawn(Spec(""));
  const pid_t host = ParentOf(handle.workers()[0].pid());
  ASSERT_EQ(kill(host, SIGSTOP), 0);
  std::thread caller([&] { (void)handle.SetAffinity(0, CpuSet::Parse("0").value(), {.timeout = kPatience}); });
  // Longer than two pings are apart.
  while (!notify_.Next(absl::Seconds(2)).empty()) {
  }
  ASSERT_EQ(kill(host, SIGCONT), 0);
  caller.join();
  EXPECT_EQ(notify_.Next(kPatience), "WATCHDOG=1");
}

TEST_F(SystemdTest, SocketsOfTheManagerAreServedByNameAndOutliveTheDaemon) {
  char directory[] = "/tmp/muster_systemd.XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  {
    const absl::StatusOr<Listener> one = Listener::Listen(UnixAddress{absl::StrCat(directory, "/one")});
    const absl::StatusOr<Listener> two = Listener::Listen(TcpAddress{"127.0.0.1", 0});
    ASSERT_TRUE(one.ok() && two.ok());
    StartDaemon({.flags = {"--listen=inherited:two", "--listen=inherited"},
                 .environment = {"LISTEN_FDNAMES=one:two"},
                 .sockets = {one->fd(), two->fd()}});
    EXPECT_EQ(daemon_->addresses(), (std::vector<std::string>{daemon_->address(), FormatAddress(two->address()),
                                                              FormatAddress(one->address())}));
    for (const std::string& address : daemon_->addresses()) EXPECT_TRUE(Client::Connect(address).ok()) << address;
    client_.reset();
    ASSERT_TRUE(daemon_->End(SIGTERM, Deadline::After(kPatience)).ok());
    daemon_ended_ = true;
    // They wait for the next daemon.
    EXPECT_TRUE(Dial(one->address(), kPatience).ok());
    EXPECT_TRUE(Dial(two->address(), kPatience).ok());
  }
  EXPECT_EQ(rmdir(directory), 0);
}

TEST_F(SystemdTest, WhoAsksForASocketThatNobodyMadeDoesNotStart) {
  const absl::Status status = TestDaemon::Start({.flags = {"--listen=inherited"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

}  // namespace
}  // namespace muster
