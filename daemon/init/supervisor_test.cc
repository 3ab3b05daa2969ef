#include "daemon/init/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "daemon/init/namespaced.h"

namespace muster::init {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// In place of musterd: a shell, for which the added --ready-fd is $0.
SupervisorOptions Script(const std::string& text) {
  SupervisorOptions options;
  options.program = "/bin/sh";
  options.arguments = {"sh", "-c", "ready() { eval \"echo READY >&${0#--ready-fd=}\"; }\n" + text};
  return options;
}

int ExitCode(Namespaced* init) {
  const absl::StatusOr<ProcessEnd> end = init->Finish();
  EXPECT_TRUE(end.ok()) << end.status() << "\n" << init->output();
  return end.ok() ? end->exit_code : -1;
}

// Of an init whose daemon is this script.
int RunScript(const std::string& text) {
  Namespaced init([&] { return Supervise(Script(text)); });
  return ExitCode(&init);
}

TEST(SupervisorTest, DaemonsExitCodeIsHandedOnAndTold) {
  Namespaced init([] { return Supervise(Script("exit 7")); });
  EXPECT_EQ(ExitCode(&init), 7);
  EXPECT_THAT(init.output(), HasSubstr("muster-init: daemon-ended exit=7 uptime_ms="));
}

TEST(SupervisorTest, SignalThatEndedTheDaemonIsHandedOnAndTold) {
  Namespaced init([] { return Supervise(Script("kill -KILL $$")); });
  EXPECT_EQ(ExitCode(&init), 128 + SIGKILL);
  EXPECT_THAT(init.output(), HasSubstr("muster-init: daemon-ended signal=9 uptime_ms="));
}

TEST(SupervisorTest, DaemonThatIsNotThereIsNamed) {
  Namespaced init([] { return Supervise({.program = "/none/musterd", .arguments = {"musterd"}}); });
  EXPECT_EQ(ExitCode(&init), 127);
  EXPECT_THAT(init.output(), HasSubstr("run /none/musterd: ENOENT"));
}

TEST(SupervisorTest, ReadinessIsTold) {
  Namespaced init([] { return Supervise(Script("ready; exec sleep 1000")); });
  EXPECT_TRUE(init.WaitFor("muster-init: daemon-ready uptime_ms=")) << init.output();
}

TEST(SupervisorTest, DaemonThatEndsUnreadyIsNotCalledReady) {
  Namespaced init([] { return Supervise(Script("eval \"exec ${0#--ready-fd=}>&-\"; exit 0")); });
  EXPECT_EQ(ExitCode(&init), 0);
  EXPECT_THAT(init.output(), Not(HasSubstr("daemon-ready")));
}

TEST(SupervisorTest, DaemonBlocksNoSignal) {
  EXPECT_EQ(RunScript("exec grep -q '^SigBlk:.0000000000000000$' /proc/self/status"), 0);
}

TEST(SupervisorTest, OrphanBecomesItsChildAndIsReaped) {
  EXPECT_EQ(RunScript(R"(
      orphan=$(sh -c 'sleep 1000 >/dev/null & echo $!')
      read -r pid name state parent rest < /proc/$orphan/stat
      [ "$parent" = 1 ] || exit 20
      kill $orphan
      while [ -e /proc/$orphan ]; do :; done)"),
            0);
}

TEST(SupervisorTest, ChildThatHadEndedBeforeIsReaped) {
  Namespaced init([] {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    siginfo_t info;
    if (waitid(P_PID, child, &info, WEXITED | WNOWAIT) != 0) return 20;
    return Supervise(Script("while [ -e /proc/" + std::to_string(child) + " ]; do :; done"));
  });
  EXPECT_EQ(ExitCode(&init), 0);
}

constexpr char kDrains[] = "trap 'exit 5' TERM; ready; sleep 1000 & wait";
constexpr char kStaysOn[] = "trap '' TERM; ready; exec sleep 1000";

TEST(SupervisorTest, EveryRequestToEndLetsTheDaemonDrain) {
  for (const int number : {SIGTERM, SIGINT, SIGPWR, SIGUSR2, SIGRTMIN + 3, SIGRTMIN + 4}) {
    Namespaced init([] { return Supervise(Script(kDrains)); });
    ASSERT_TRUE(init.WaitFor("daemon-ready")) << init.output();
    init.Signal(number);
    EXPECT_EQ(ExitCode(&init), 5) << "after signal " << number;
    EXPECT_THAT(init.output(), HasSubstr("end-asked by signal=" + std::to_string(number)));
  }
}

TEST(SupervisorTest, SecondRequestEndsADaemonThatDoesNot) {
  Namespaced init([] { return Supervise(Script(kStaysOn)); });
  ASSERT_TRUE(init.WaitFor("daemon-ready")) << init.output();
  init.Signal(SIGTERM);
  ASSERT_TRUE(init.WaitFor("end-asked by signal=15")) << init.output();
  init.Signal(SIGINT);
  EXPECT_EQ(ExitCode(&init), 128 + SIGKILL);
}

TEST(SupervisorTest, OtherSignalsAreNoRequest) {
  Namespaced init([] { return Supervise(Script(kDrains)); });
  ASSERT_TRUE(init.WaitFor("daemon-ready")) << init.output();
  init.Signal(SIGHUP);
  init.Signal(SIGUSR1);
  init.Signal(SIGTERM);
  EXPECT_EQ(ExitCode(&init), 5);
  EXPECT_THAT(init.output(), Not(HasSubstr("signal=1 ")));
  EXPECT_THAT(init.output(), Not(HasSubstr("signal=10 ")));
}

// A pipe in place of the console.
class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_.Reset(ends[0]);
    writer_.Reset(ends[1]);
  }
  void Say(const std::string& words) {
    EXPECT_EQ(write(writer_.get(), words.data(), words.size()), static_cast<ssize_t>(words.size()));
  }

  UniqueFd reader_;
  UniqueFd writer_;
};

TEST_F(ConsoleTest, PoweroffLetsTheDaemonDrain) {
  SupervisorOptions options = Script(kDrains);
  options.console = reader_.get();
  Namespaced init([&] { return Supervise(options); });
  ASSERT_TRUE(init.WaitFor("daemon-ready")) << init.output();
  Say("who\n");
  Say("poweroff\n");
  EXPECT_EQ(ExitCode(&init), 5);
  EXPECT_THAT(init.output(), HasSubstr("end-asked by the console"));
}

// Says what it is told.
class Echo : public Companion {
 public:
  explicit Echo(int fd) : fd_(fd) {}
  int fd() const override { return fd_; }
  void OnReadable() override {
    printf("companion: readable\n");
    fflush(stdout);
    fd_ = -1;
  }
  void OnRequest(const std::string& request) override {
    printf("companion: %s", request.c_str());
    fflush(stdout);
  }

 private:
  int fd_;
};

TEST_F(ConsoleTest, CompanionHearsOfItsDescriptorAndOfRequests) {
  // Readable: its other end is closed.
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd readable(ends[0]);
  close(ends[1]);
  Echo echo(readable.get());
  SupervisorOptions options = Script(kDrains);
  options.console = reader_.get();
  options.companion = &echo;
  Namespaced init([&] { return Supervise(options); });
  EXPECT_TRUE(init.WaitFor("companion: readable")) << init.output();
  Say("scheduler\n");
  EXPECT_TRUE(init.WaitFor("companion: scheduler\n")) << init.output();
}

}  // namespace
}  // namespace muster::init
