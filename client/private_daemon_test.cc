#include "client/private_daemon.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "client/client.h"

namespace muster {
namespace {

class PrivateDaemonTest : public testing::Test {
 protected:
  PrivateDaemonTest() {
    char pattern[] = "/tmp/muster_pd.XXXXXX";
    directory_ = mkdtemp(pattern);
    // The daemon's own directory is made below it, so that the end of the test sees what is left.
    setenv("TMPDIR", directory_.c_str(), 1);
    setenv("MUSTERD_FLAGS_FILE", FlagsFile().c_str(), 1);
    unsetenv("MUSTERD_BEHAVIOUR");
    options_.musterd = "tests/support/fake_musterd";
    options_.worker_binary = "/some/muster-worker";
  }

  ~PrivateDaemonTest() override {
    unlink(FlagsFile().c_str());
    EXPECT_EQ(rmdir(directory_.c_str()), 0) << "something was left in " << directory_;
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child was left";
  }

  std::string FlagsFile() const { return directory_ + "/flags"; }

  std::string directory_;
  PrivateDaemonOptions options_;
};

TEST_F(PrivateDaemonTest, ServesUntilItsObjectEnds) {
  std::string address;
  {
    absl::StatusOr<PrivateDaemon> daemon = PrivateDaemon::Start(options_);
    ASSERT_TRUE(daemon.ok()) << daemon.status();
    address = daemon->address();
    EXPECT_TRUE(Client::Connect(address).ok());
  }
  EXPECT_EQ(Client::Connect(address).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(PrivateDaemonTest, FlagsSayWhereWhoAndToDieWithUs) {
  options_.flags = {"--allow-exec"};
  absl::StatusOr<PrivateDaemon> daemon = PrivateDaemon::Start(options_);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  const std::string flags = *ReadFile(FlagsFile());
  EXPECT_TRUE(absl::StartsWith(flags, absl::StrCat("--listen\nunix://", directory_, "/muster-private-"))) << flags;
  EXPECT_TRUE(absl::StrContains(flags, absl::StrCat("--instance\nprivate-", getpid(), "-"))) << flags;
  EXPECT_TRUE(absl::StrContains(flags, "--worker-binary\n/some/muster-worker\n--ready-fd\n3\n")) << flags;
  EXPECT_TRUE(absl::EndsWith(flags, absl::StrCat("--parent-pid\n", getpid(), "\n--die-with-parent\n--allow-exec\n")))
      << flags;
}

TEST_F(PrivateDaemonTest, MovedFromObjectEndsNothing) {
  absl::StatusOr<PrivateDaemon> first = PrivateDaemon::Start(options_);
  ASSERT_TRUE(first.ok()) << first.status();
  PrivateDaemon second = *std::move(first);
  first = absl::UnknownError("gone");
  EXPECT_TRUE(Client::Connect(second.address()).ok());
  EXPECT_TRUE(second.Stop().ok());
}

TEST_F(PrivateDaemonTest, DaemonThatExitsBeforeItServesIsNamedWithItsCode) {
  setenv("MUSTERD_BEHAVIOUR", "exit", 1);
  const absl::Status status = PrivateDaemon::Start(options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "exited with code 7")) << status;
}

TEST_F(PrivateDaemonTest, DaemonThatSaysSomethingElseIsRefused) {
  setenv("MUSTERD_BEHAVIOUR", "garbage", 1);
  EXPECT_TRUE(absl::StrContains(PrivateDaemon::Start(options_).status().message(), "HELLO"));
}

TEST_F(PrivateDaemonTest, MissingProgramIsNamed) {
  options_.musterd = "/no/such/musterd";
  EXPECT_TRUE(absl::StrContains(PrivateDaemon::Start(options_).status().message(), "/no/such/musterd"));
}

TEST_F(PrivateDaemonTest, BadEndIsTold) {
  setenv("MUSTERD_BEHAVIOUR", "bad_end", 1);
  absl::StatusOr<PrivateDaemon> daemon = PrivateDaemon::Start(options_);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  EXPECT_EQ(daemon->Stop(), absl::InternalError("the private musterd exited with code 9 when it was ended"));
  EXPECT_TRUE(daemon->Stop().ok()) << "the second time there is nothing to end";
}

TEST_F(PrivateDaemonTest, KilledDaemonLeavesNoSocketAndIsTold) {
  absl::StatusOr<PrivateDaemon> daemon = PrivateDaemon::Start(options_);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  ASSERT_EQ(kill(daemon->pid(), SIGKILL), 0);
  EXPECT_EQ(daemon->Stop(), absl::InternalError("the private musterd was killed by signal 9 when it was ended"));
}

TEST_F(PrivateDaemonTest, LogGoesWhereItIsToldTo) {
  const UniqueFd log(memfd_create("log", MFD_CLOEXEC));
  options_.log_fd = log.get();
  setenv("MUSTERD_BEHAVIOUR", "exit", 1);
  EXPECT_FALSE(PrivateDaemon::Start(options_).ok());
  char text[100] = "";
  ASSERT_GT(pread(log.get(), text, sizeof(text) - 1, 0), 0);
  EXPECT_TRUE(absl::StrContains(text, "exits on purpose")) << text;
}

TEST_F(PrivateDaemonTest, SilentDaemonIsGivenUpInTime) {
  setenv("MUSTERD_BEHAVIOUR", "mute", 1);
  options_.start_timeout = absl::Milliseconds(200);
  EXPECT_EQ(PrivateDaemon::Start(options_).status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace muster
