#include "tools/vm/run/leashed_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/time/time.h"
#include "base/deadline.h"

namespace muster::vm {
namespace {

using ::testing::HasSubstr;

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader.Reset(ends[0]);
    writer.Reset(ends[1]);
  }
  std::string ReadAll() {
    writer.Reset();
    std::string text;
    char buffer[4096];
    for (ssize_t got = read(reader.get(), buffer, sizeof(buffer)); got > 0;
         got = read(reader.get(), buffer, sizeof(buffer)))
      text.append(buffer, got);
    return text;
  }
  UniqueFd reader;
  UniqueFd writer;
};

TEST(LeashedProcessTest, ChildHasItsStreamsTheKeptDescriptorAndNoOther) {
  Pipe pipe;
  const UniqueFd secret(open("/dev/null", O_RDONLY));
  LeashOptions options;
  options.arguments = {"sh", "-c", "ls /proc/$$/fd"};
  options.output = pipe.writer.get();
  options.kept = secret.get();
  const auto process = LeashedProcess::Spawn(options);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ(pipe.ReadAll(), "0\n1\n2\n3\n");
}

TEST(LeashedProcessTest, DestructorKillsAndReaps) {
  pid_t pid = -1;
  {
    const auto process = LeashedProcess::Spawn({{"sleep", "1000"}});
    ASSERT_TRUE(process.ok()) << process.status();
    pid = process->pid();
    EXPECT_FALSE(process->HasEnded());
  }
  EXPECT_EQ(waitpid(pid, nullptr, 0), -1);
}

TEST(LeashedProcessTest, ProgramThatCannotRunIsAnError) {
  EXPECT_EQ(LeashedProcess::Spawn({{"/etc/passwd"}}).status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(LeashedProcess::Spawn({{"no-such-program"}}).status().message()),
              HasSubstr("no-such-program"));
}

// A process that spawns a sleeper with `leashed`, tells its number, and is killed.
pid_t OrphanASleeper(bool leashed) {
  Pipe pipe;
  const pid_t parent = fork();
  if (parent == 0) {
    LeashOptions options;
    options.arguments = {"sleep", "1000"};
    options.leashed = leashed;
    const auto process = LeashedProcess::Spawn(options);
    const pid_t pid = process.ok() ? process->pid() : -1;
    [[maybe_unused]] const ssize_t told = write(pipe.writer.get(), &pid, sizeof(pid));
    pause();
    _exit(0);
  }
  pid_t pid = -1;
  EXPECT_EQ(read(pipe.reader.get(), &pid, sizeof(pid)), static_cast<ssize_t>(sizeof(pid)));
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  return pid;
}

TEST(LeashedProcessTest, ChildDiesWithUs) {
  const pid_t pid = OrphanASleeper(true);
  ASSERT_GT(pid, 0);
  const absl::StatusOr<Pidfd> pidfd = Pidfd::Open(pid);
  // Not found: it is gone already.
  const bool gone = !pidfd.ok() || pidfd->WaitEnd(Deadline::After(absl::Seconds(10))).ok();
  EXPECT_TRUE(gone);
}

TEST(LeashedProcessTest, ChildWithoutALeashLivesOn) {
  const pid_t pid = OrphanASleeper(false);
  ASSERT_GT(pid, 0);
  const absl::StatusOr<Pidfd> pidfd = Pidfd::Open(pid);
  ASSERT_TRUE(pidfd.ok());
  EXPECT_FALSE(pidfd->WaitEnd(Deadline::After(absl::Milliseconds(50))).ok());
  EXPECT_TRUE(pidfd->Signal(SIGKILL).ok());
}

}  // namespace
}  // namespace muster::vm
