#include "base/spawn_process.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/personality.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/descriptors_testing.h"
#include "base/file_io.h"

namespace muster {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end.Reset(ends[0]);
    write_end.Reset(ends[1]);
  }
  std::string ReadToEnd() {
    write_end.Reset();
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = read(read_end.get(), buffer, sizeof(buffer))) > 0;) text.append(buffer, got);
    return text;
  }
  UniqueFd read_end;
  UniqueFd write_end;
};

SpawnOptions Shell(absl::string_view script) {
  SpawnOptions options;
  options.program = "/bin/sh";
  options.arguments = {"sh", "-c", std::string(script)};
  return options;
}

// Runs it with its standard output in a pipe; returns what it wrote.
std::string Output(SpawnOptions options) {
  Pipe pipe;
  options.descriptors.push_back({STDOUT_FILENO, pipe.write_end.get()});
  absl::StatusOr<SpawnedProcess> child = SpawnProcess(options);
  EXPECT_TRUE(child.ok()) << child.status();
  if (!child.ok()) return "";
  const std::string text = pipe.ReadToEnd();
  absl::StatusOr<ProcessEnd> end = child->pidfd.Reap(Deadline::After(absl::Seconds(10)));
  EXPECT_TRUE(end.ok() && end->ok()) << end.status();
  return text;
}

// Of this process, counted by itself: a child would count while its parent still closes what the spawn needed.
TEST(SpawnProcessTest, ChildKeepsOnlyTheDescriptorsOfItsMap) {
  Pipe leaked;
  // Not close-on-exec on purpose: the plan alone must keep it out.
  const UniqueFd low(fcntl(leaked.write_end.get(), F_DUPFD, 3));
  const UniqueFd high(fcntl(leaked.write_end.get(), F_DUPFD, 200));
  SpawnOptions options = Shell("exec ls /proc/self/fd");
  options.descriptors = {{9, leaked.read_end.get()}};
  std::vector<std::string> fds = absl::StrSplit(Output(options), '\n', absl::SkipEmpty());
  // The fifth is ls's own, of the directory it reads.
  EXPECT_EQ(fds, (std::vector<std::string>{"0", "1", "2", "3", "9"}));
}

TEST(SpawnProcessTest, SwappedNumbersDoNotOverwriteEachOther) {
  Pipe a;
  Pipe b;
  SpawnOptions options = Shell(absl::StrCat("echo to-a >&", b.write_end.get(), "; echo to-b >&", a.write_end.get()));
  options.descriptors = {{b.write_end.get(), a.write_end.get()}, {a.write_end.get(), b.write_end.get()}};
  Output(options);
  EXPECT_EQ(a.ReadToEnd(), "to-a\n");
  EXPECT_EQ(b.ReadToEnd(), "to-b\n");
}

TEST(SpawnProcessTest, UnlistedStandardInputIsEmptyAndOutputIsOurErrorStream) {
  EXPECT_EQ(Output(Shell("readlink /proc/self/fd/0")), "/dev/null\n");
  Pipe pipe;
  SpawnOptions options = Shell(
      "for fd in 1 2; do if [ /proc/$$/fd/$fd -ef /proc/$PPID/fd/2 ]; then echo same >&5; else echo other >&5; fi; "
      "done");
  options.descriptors = {{5, pipe.write_end.get()}};
  absl::StatusOr<SpawnedProcess> child = SpawnProcess(options);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(pipe.ReadToEnd(), "same\nsame\n");
  EXPECT_TRUE(child->pidfd.Reap(Deadline::After(absl::Seconds(10))).ok());
}

TEST(SpawnProcessTest, SignalsStartUnblockedWithDefaultActions) {
  signal(SIGTERM, SIG_IGN);
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  const std::string status = Output(Shell("exec grep -E 'SigBlk|SigIgn' /proc/self/status"));
  sigprocmask(SIG_SETMASK, &before, nullptr);
  signal(SIGTERM, SIG_DFL);
  // Signals 32 and 33 are glibc's own; its posix_spawn leaves them ignored until the child needs them.
  EXPECT_EQ(status, "SigBlk:\t0000000000000000\nSigIgn:\t0000000180000000\n");
}

TEST(SpawnProcessTest, NewSessionIsLedByTheChild) {
  SpawnOptions options = Shell("exec cut -d' ' -f1,5,6 /proc/self/stat");
  options.new_session = true;
  std::vector<std::string> ids = absl::StrSplit(absl::StripAsciiWhitespace(Output(options)), ' ');
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
}

TEST(SpawnProcessTest, AFixedLayoutIsTheChildsAlone) {
  constexpr unsigned long kAsk = 0xffffffff;
  const int before = personality(kAsk);
  if (personality(static_cast<unsigned long>(before) | ADDR_NO_RANDOMIZE) == -1) GTEST_SKIP() << "not allowed here";
  personality(static_cast<unsigned long>(before));
  SpawnOptions options = Shell("grep stack /proc/self/maps");
  options.fixed_layout = true;
  EXPECT_EQ(Output(options), Output(options));
  EXPECT_EQ(personality(kAsk), before);
}

TEST(SpawnProcessTest, EnvironmentIsOursUnlessGiven) {
  setenv("MUSTER_SPAWN_TEST", "inherited", 1);
  EXPECT_EQ(Output(Shell("echo $MUSTER_SPAWN_TEST")), "inherited\n");
  SpawnOptions options = Shell("echo $MUSTER_SPAWN_TEST$A");
  options.environment = {"A=b"};
  EXPECT_EQ(Output(options), "b\n");
}

TEST(SpawnProcessTest, MissingProgramIsNamed) {
  SpawnOptions options = Shell("");
  options.program = "/does/not/exist";
  const absl::Status status = SpawnProcess(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/does/not/exist"), absl::string_view::npos);
}

TEST(SpawnProcessTest, WrongDescriptorMapIsRefused) {
  SpawnOptions twice = Shell("");
  twice.descriptors = {{5, 0}, {5, 1}};
  EXPECT_EQ(SpawnProcess(twice).status().code(), absl::StatusCode::kInvalidArgument);
  SpawnOptions closed = Shell("");
  closed.descriptors = {{5, 999}};
  EXPECT_FALSE(SpawnProcess(closed).ok());
  SpawnOptions high = Shell("");
  high.descriptors = {{256, 0}};
  EXPECT_EQ(SpawnProcess(high).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(SpawnProcessTest, ParentKeepsNoDescriptorOfASpawn) {
  const int before = CountDescriptors(getpid());
  for (int i = 0; i < 3; ++i) Output(Shell("true"));
  SpawnOptions missing = Shell("");
  missing.program = "/does/not/exist";
  EXPECT_FALSE(SpawnProcess(missing).ok());
  EXPECT_EQ(CountDescriptors(getpid()), before);
}

TEST(PidfdTest, ReapTellsExitCodeFromSignal) {
  absl::StatusOr<SpawnedProcess> exits = SpawnProcess(Shell("exit 7"));
  ASSERT_TRUE(exits.ok());
  absl::StatusOr<ProcessEnd> end = exits->pidfd.Reap(Deadline::After(absl::Seconds(10)));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 7);
  EXPECT_EQ(end->signal, 0);

  absl::StatusOr<SpawnedProcess> killed = SpawnProcess(Shell("read never <&0; kill -STOP $$"));
  ASSERT_TRUE(killed.ok());
  ASSERT_TRUE(killed->pidfd.Signal(SIGKILL).ok());
  end = killed->pidfd.Reap(Deadline::After(absl::Seconds(10)));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->signal, SIGKILL);
  EXPECT_EQ(end->exit_code, -1);
}

TEST(PidfdTest, WaitIsBoundedWhileTheProcessLives) {
  Pipe pipe;
  SpawnOptions options = Shell("read line");
  options.descriptors = {{0, pipe.read_end.get()}};
  absl::StatusOr<SpawnedProcess> child = SpawnProcess(options);
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(child->pidfd.Reap(Deadline::After(absl::Milliseconds(20))).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  pipe.write_end.Reset();
  EXPECT_TRUE(child->pidfd.Reap(Deadline::After(absl::Seconds(10))).ok());
}

TEST(PidfdTest, ReapedProcessIsNeverSignalled) {
  absl::StatusOr<SpawnedProcess> child = SpawnProcess(Shell("true"));
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(child->pidfd.Reap(Deadline::After(absl::Seconds(10))).ok());
  EXPECT_EQ(child->pidfd.Signal(SIGKILL).code(), absl::StatusCode::kNotFound);
}

TEST(PidfdTest, NumbersThatAreNoProcessAreRefused) {
  EXPECT_EQ(Pidfd::Open(0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Pidfd::Open(-1).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace muster
