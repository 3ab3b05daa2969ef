#include "tools/vm/run/interrupt_watch.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tools/vm/exit_codes.h"

namespace muster::vm {
namespace {

// Runs `body` in a process of its own; its wait status.
template <typename Body>
int StatusOf(Body body) {
  const pid_t pid = fork();
  if (pid == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

TEST(InterruptWatchTest, SignalCleansUpAndEndsTheProcess) {
  const std::string mark = ::testing::TempDir() + "/interrupted";
  const int status = StatusOf([&] {
    const auto watch = InterruptWatch::Start();
    (*watch)->Exchange([&] { return [&] { std::ofstream(mark) << "x"; }; });
    kill(getpid(), SIGTERM);
    pause();
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kExitInterrupted);
  EXPECT_EQ(unlink(mark.c_str()), 0);
}

TEST(InterruptWatchTest, SignalDuringAnExchangeSeesWhatItMade) {
  const std::string mark = ::testing::TempDir() + "/exchanged";
  const int status = StatusOf([&] {
    const auto watch = InterruptWatch::Start();
    (*watch)->Exchange([&] {
      kill(getpid(), SIGINT);
      return [&] { std::ofstream(mark) << "x"; };
    });
    pause();
  });
  EXPECT_EQ(WEXITSTATUS(status), kExitInterrupted);
  EXPECT_EQ(unlink(mark.c_str()), 0);
}

TEST(InterruptWatchTest, SignalAfterTheHandOverWaitsForWhoTakesItNext) {
  EXPECT_EQ(StatusOf([] {
              auto watch = InterruptWatch::Start();
              (*watch)->HandOver();
              watch->reset();
              kill(getpid(), SIGINT);
              sigset_t pending;
              sigpending(&pending);
              _exit(sigismember(&pending, SIGINT) == 1 ? 0 : 1);
            }),
            0);
}

TEST(InterruptWatchTest, WithoutASignalNothingHappens) {
  EXPECT_EQ(StatusOf([] { const auto watch = InterruptWatch::Start(); }), 0);
}

}  // namespace
}  // namespace muster::vm
