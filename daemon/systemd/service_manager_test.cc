#include "daemon/systemd/service_manager.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace muster {
namespace {

constexpr const char* kVariables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                      "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES"};

class ServiceManagerTest : public testing::Test {
 protected:
  ServiceManagerTest() {
    for (const char* name : kVariables) unsetenv(name);
  }
  ~ServiceManagerTest() override {
    for (const char* name : kVariables) EXPECT_EQ(getenv(name), nullptr) << name << " is left for children";
  }

  static void Set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }
  static std::string Pid() { return absl::StrCat(getpid()); }

  static void ExpectRefused(const char* name) {
    const absl::Status status = ServiceManager::FromEnvironment().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), name)) << status;
    for (const char* variable : kVariables) unsetenv(variable);
  }
};

// The manager's end: a datagram socket with an abstract name of the kernel's choice.
class ManagersEnd {
 public:
  ManagersEnd() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un any{};
    any.sun_family = AF_UNIX;
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any.sun_family)), 0);
    sockaddr_un bound{};
    socklen_t size = sizeof(bound);
    EXPECT_EQ(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
    name_ = "@" + std::string(bound.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
  }

  const std::string& name() const { return name_; }

  // Datagrams of a unix socket are there when the sender's call has returned.
  std::string Receive() const {
    char text[256];
    const ssize_t got = recv(fd_.get(), text, sizeof(text), 0);
    return got < 0 ? "" : std::string(text, got);
  }

 private:
  UniqueFd fd_;
  std::string name_;
};

TEST_F(ServiceManagerTest, WithoutOneThereIsNothingToDo) {
  absl::StatusOr<ServiceManager> manager = ServiceManager::FromEnvironment();
  ASSERT_TRUE(manager.ok()) << manager.status();
  EXPECT_TRUE(manager->Notify("READY=1").ok());
  EXPECT_FALSE(manager->watchdog().has_value());
  EXPECT_TRUE(manager->TakeSockets().empty());
}

TEST_F(ServiceManagerTest, WhatItIsToldArrivesWhole) {
  const ManagersEnd end;
  Set("NOTIFY_SOCKET", end.name());
  const absl::StatusOr<ServiceManager> manager = ServiceManager::FromEnvironment();
  ASSERT_TRUE(manager.ok()) << manager.status();
  EXPECT_EQ(manager->Notify("READY=1\nSTATUS=serving"), absl::OkStatus());
  EXPECT_EQ(end.Receive(), "READY=1\nSTATUS=serving");
}

TEST_F(ServiceManagerTest, ManagerThatIsGoneIsAnError) {
  Set("NOTIFY_SOCKET", "/nowhere/notify");
  const absl::Status status = ServiceManager::FromEnvironment()->Notify("READY=1");
  EXPECT_TRUE(absl::StrContains(status.message(), "/nowhere/notify")) << status;
}

TEST_F(ServiceManagerTest, WatchdogIsOursWhenItSaysSo) {
  Set("WATCHDOG_USEC", "30000000");
  EXPECT_EQ(ServiceManager::FromEnvironment()->watchdog(), absl::Seconds(30));
  Set("WATCHDOG_USEC", "30000000");
  Set("WATCHDOG_PID", Pid());
  EXPECT_EQ(ServiceManager::FromEnvironment()->watchdog(), absl::Seconds(30));
  Set("WATCHDOG_USEC", "30000000");
  Set("WATCHDOG_PID", "1");
  EXPECT_FALSE(ServiceManager::FromEnvironment()->watchdog().has_value());
}

TEST_F(ServiceManagerTest, SocketsForAnotherProcessAreLeftAlone) {
  Set("LISTEN_FDS", "1");
  Set("LISTEN_PID", "1");
  EXPECT_TRUE(ServiceManager::FromEnvironment()->TakeSockets().empty());
  Set("LISTEN_FDS", "1");
  EXPECT_TRUE(ServiceManager::FromEnvironment()->TakeSockets().empty());
}

TEST_F(ServiceManagerTest, NonsenseIsRefusedByName) {
  Set("WATCHDOG_USEC", "soon");
  ExpectRefused("WATCHDOG_USEC");
  Set("WATCHDOG_USEC", "0");
  ExpectRefused("WATCHDOG_USEC");
  Set("LISTEN_FDS", "-1");
  Set("LISTEN_PID", Pid());
  ExpectRefused("LISTEN_FDS");
  Set("LISTEN_FDS", "1");
  Set("LISTEN_PID", "me");
  ExpectRefused("LISTEN_PID");
  Set("NOTIFY_SOCKET", "relative");
  ExpectRefused("NOTIFY_SOCKET");
}

// In a process of its own, whose descriptors 3 and 4 are free to be what a manager makes them.
void ExitAfterTakingSockets() {
  const int one = open("/dev/null", O_RDWR);
  for (const int fd : {3, 4}) {
    if (fd != one) dup2(one, fd);
  }
  setenv("LISTEN_FDS", "2", 1);
  setenv("LISTEN_PID", absl::StrCat(getpid()).c_str(), 1);
  setenv("LISTEN_FDNAMES", "front", 1);
  absl::StatusOr<ServiceManager> manager = ServiceManager::FromEnvironment();
  if (!manager.ok()) _exit(1);
  const std::vector<InheritedSocket> sockets = manager->TakeSockets();
  const bool right = sockets.size() == 2 && sockets[0].fd.get() == 3 && sockets[0].name == "front" &&
                     sockets[1].fd.get() == 4 && sockets[1].name == "unknown" &&
                     (fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(4, F_GETFD) & FD_CLOEXEC) != 0;
  _exit(right && manager->TakeSockets().empty() ? 0 : 2);
}

TEST_F(ServiceManagerTest, SocketsComeByNameInOrderAndAreNotPassedOn) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(ExitAfterTakingSockets(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace muster
