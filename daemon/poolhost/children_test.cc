#include "daemon/poolhost/children.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/spawn_process.h"

namespace muster {
namespace {

SpawnedProcess Sleeper() { return SpawnProcess({"/bin/sleep", {"sleep", "100"}}).value(); }

bool Has(const std::vector<pid_t>& pids, pid_t pid) { return std::find(pids.begin(), pids.end(), pid) != pids.end(); }

TEST(Children, ChildrenOfEveryThreadAreListedUntilTheyAreReaped) {
  SpawnedProcess child;
  std::vector<pid_t> during;
  std::thread maker([&] {
    child = Sleeper();
    during = ListChildren("/proc");
  });
  maker.join();
  EXPECT_TRUE(Has(during, child.pid));
  EXPECT_TRUE(Has(ListChildren("/proc"), child.pid)) << "its thread has ended, it has not";
  EXPECT_FALSE(ReapIfEnded(child.pid).has_value()) << "it runs";
  ASSERT_EQ(child.pidfd.Signal(SIGKILL), absl::OkStatus());
  ASSERT_EQ(child.pidfd.WaitEnd(Deadline::After(absl::Seconds(20))), absl::OkStatus());
  EXPECT_TRUE(Has(ListChildren("/proc"), child.pid)) << "a zombie is a child";
  const auto end = ReapIfEnded(child.pid);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, SIGKILL);
  EXPECT_FALSE(Has(ListChildren("/proc"), child.pid));
  EXPECT_FALSE(ReapIfEnded(child.pid).has_value()) << "it is gone";
}

TEST(Children, WithoutTheKernelsListTheParentNumbersTell) {
  const std::string procfs = absl::StrCat(testing::TempDir(), "/proc");
  const auto process = [&](int pid, const std::string& stat) {
    std::filesystem::create_directories(absl::StrCat(procfs, "/", pid));
    std::ofstream(absl::StrCat(procfs, "/", pid, "/stat")) << stat;
  };
  process(11, absl::StrCat("11 (plain) S ", getpid(), " 11 11 0"));
  process(12, absl::StrCat("12 (tricky) S 1 ) x) Z ", getpid(), " 12 12 0"));
  process(13, "13 (other) S 1 13 13 0");
  process(14, "14 (torn");
  std::filesystem::create_directories(procfs + "/self");
  std::vector<pid_t> children = ListChildren(procfs);
  std::sort(children.begin(), children.end());
  EXPECT_EQ(children, (std::vector<pid_t>{11, 12}));
  std::filesystem::remove_all(procfs);
}

}  // namespace
}  // namespace muster
