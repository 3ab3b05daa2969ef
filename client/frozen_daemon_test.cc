// A daemon, or its machine, that stands still: its socket is open, and nothing comes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <optional>

#include "base/unique_fd.h"
#include "client/client.h"
#include "client/private_daemon.h"

namespace muster {
namespace {

class FrozenDaemonTest : public testing::Test {
 protected:
  FrozenDaemonTest() {
    unsetenv("MUSTERD_BEHAVIOUR");
    absl::StatusOr<PrivateDaemon> daemon =
        PrivateDaemon::Start({.musterd = "tests/support/fake_musterd", .worker_binary = "/none"});
    EXPECT_TRUE(daemon.ok()) << daemon.status();
    daemon_.emplace(*std::move(daemon));
    absl::StatusOr<Client> client =
        Client::Connect(daemon_->address(), {.connection = {.redial_for = absl::Seconds(1)}});
    EXPECT_TRUE(client.ok()) << client.status();
    client_.emplace(*std::move(client));
  }

  ~FrozenDaemonTest() override {
    Thaw();
    client_.reset();
  }

  // Returns when all of its threads stand still.
  void Freeze() {
    EXPECT_EQ(kill(daemon_->pid(), SIGSTOP), 0);
    siginfo_t info;
    EXPECT_EQ(waitid(P_PID, daemon_->pid(), &info, WSTOPPED | WNOWAIT), 0);
  }
  void Thaw() { EXPECT_EQ(kill(daemon_->pid(), SIGCONT), 0); }

  std::optional<PrivateDaemon> daemon_;
  std::optional<Client> client_;
};

TEST_F(FrozenDaemonTest, CallIsGivenUpLongBeforeItsDeadline) {
  Freeze();
  const Deadline patience = Deadline::After(absl::Minutes(1));
  EXPECT_EQ(client_->ServerInfo({.timeout = absl::Hours(1)}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(patience.Expired());
}

TEST_F(FrozenDaemonTest, CallThatTheDaemonThawsForIsAnswered) {
  Freeze();
  Thaw();
  EXPECT_TRUE(client_->ServerInfo().ok());
}

TEST_F(FrozenDaemonTest, LeaseOutlivesAShortFreeze) {
  Freeze();
  // Fails once keepalive has found the connection dead.
  EXPECT_FALSE(client_->ServerInfo({.timeout = absl::Hours(1)}).ok());
  Thaw();
  EXPECT_TRUE(client_->Spawn(v1::WorkloadSpec()).ok());
  EXPECT_TRUE(client_->lease_status().ok());
}

}  // namespace
}  // namespace muster
