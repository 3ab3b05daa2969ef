#include "worker/parts/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file_io.h"
#include "gtest/gtest.h"

namespace muster {
namespace {

constexpr int kForks = 200;

// Forks idle children, one after the other; how many of them exited with code 0.
int CountGoodEnds() {
  int good = 0;
  for (int i = 0; i < kForks; ++i) {
    int status = -1;
    const pid_t child = ForkIdleChild();
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0) ++good;
  }
  return good;
}

// Mappings that a fork leaves out: flag "dc" of proc_pid_smaps(5).
int CountLeftOut() {
  const std::string smaps = ReadFile("/proc/self/smaps").value_or("");
  int count = 0;
  for (size_t at = smaps.find(" dc"); at != std::string::npos; at = smaps.find(" dc", at + 1)) ++count;
  return count;
}

// In a process of its own, as workers are: the test's must stay as it is.
int EndOf(int (*body)()) {
  const pid_t process = fork();
  if (process == 0) _exit(body());
  int status = -1;
  return waitpid(process, &status, 0) == process && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ChildTest, IdleChildrenEndWell) { EXPECT_EQ(CountGoodEnds(), kForks); }

TEST(ChildTest, IdleChildrenNeedOnlyWhatIsLeftToThem) {
  const auto body = [] {
    const int before = CountLeftOut();
    ForkOnlyWhatIdleChildrenNeed();
    if (CountLeftOut() <= before) return 1;
    return CountGoodEnds() == kForks ? 0 : 2;
  };
  EXPECT_EQ(EndOf(body), 0) << "1: nothing was left out; 2: a child did not end well";
}

TEST(ChildTest, TheProcessItselfKeepsEverything) {
  const auto body = [] {
    auto memory = std::make_unique<std::vector<int>>(100'000, 7);
    ForkOnlyWhatIdleChildrenNeed();
    if (CountGoodEnds() != kForks) return 1;
    for (const int value : *memory) {
      if (value != 7) return 2;
    }
    memory->assign(200'000, 8);
    return 0;
  };
  EXPECT_EQ(EndOf(body), 0);
}

}  // namespace
}  // namespace muster
