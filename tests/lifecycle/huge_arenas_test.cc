// Pools whose workers have large parts of the arena, through a whole life, in huge pages and without.
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/file_io.h"
#include "tests/support/live_test.h"
#include "worker/arena/huge_files.h"

namespace muster {
namespace {

using testing::Contains;
using testing::Not;

// A sample store of 800 KB each.
constexpr char kLargeArena[] = "num_workers: 8 work { pipe_io {} }";

class HugeArenasTest : public LiveTest {
 protected:
  // How the mappings of an arena are called in a process, and nullopt when it has none.
  static std::optional<std::string> ArenaIn(pid_t pid) {
    const std::string maps = ReadFile(absl::StrCat("/proc/", pid, "/maps")).value_or("");
    for (const absl::string_view line : absl::StrSplit(maps, '\n')) {
      if (!absl::StrContains(line, "muster-arena")) continue;
      return std::string(line.substr(line.find('/')));
    }
    return std::nullopt;
  }

  bool IsInMemfd() const { return absl::StrContains(ArenaIn(daemon_->pid()).value_or(""), "memfd:"); }

  std::vector<std::string> Features() const {
    const absl::StatusOr<v1::GetServerInfoResponse> info = client_->ServerInfo();
    EXPECT_TRUE(info.ok()) << info.status();
    return {info->features().begin(), info->features().end()};
  }

  void ExpectCompleteReports(WorkloadHandle handle) {
    ASSERT_TRUE(handle.Start().ok());
    WaitForProgress(handle, 100);
    const CollectedReports collected = MustCollect(std::move(handle));
    ASSERT_EQ(collected.reports.size(), 8u);
    for (const v1::WorkerReport& report : collected.reports) {
      EXPECT_TRUE(report.completed());
      EXPECT_GE(report.iterations(), 100u);
      EXPECT_GE(report.wake_latencies_ns_size(), 100);
    }
  }
};

TEST_F(HugeArenasTest, ALargeArenaIsInHugePagesAndItsReportsAreWhole) {
  if (const auto files = arena::HugeFiles::Mount(); !files.ok()) GTEST_SKIP() << files.status();
  EXPECT_THAT(Features(), Contains("huge_arenas"));
  WorkloadHandle handle = MustSpawn(Spec(kLargeArena));
  EXPECT_FALSE(IsInMemfd());
  ExpectCompleteReports(std::move(handle));
}

TEST_F(HugeArenasTest, ManySmallPartsAreInAMemfd) {
  const WorkloadHandle handle = MustSpawn(Spec("num_workers: 200"));
  EXPECT_TRUE(IsInMemfd());
}

TEST_F(HugeArenasTest, WithoutThemALargeArenaIsAMemfdAndItsReportsAreWhole) {
  StartDaemon({.flags = {"--huge_arenas=false"}});
  EXPECT_THAT(Features(), Not(Contains("huge_arenas")));
  WorkloadHandle handle = MustSpawn(Spec(kLargeArena));
  EXPECT_TRUE(IsInMemfd());
  ExpectCompleteReports(std::move(handle));
}

// A file in huge pages cannot be sealed against shrinking; instead nobody could shrink it by accident.
TEST_F(HugeArenasTest, NobodyHoldsTheArenasDescriptorOnceAllAreAtTheGate) {
  for (const std::string mode : {"", "clone_mode: THREAD "}) {
    const WorkloadHandle handle = MustSpawn(Spec(mode + kLargeArena));
    std::vector<pid_t> processes = daemon_->WorkerProcesses();
    ASSERT_GE(processes.size(), 2u);
    processes.push_back(daemon_->pid());
    int with_arena = 0;
    for (const pid_t pid : processes) {
      with_arena += ArenaIn(pid).has_value();
      for (const auto& fd : std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/fd"))) {
        std::error_code gone;
        EXPECT_FALSE(absl::StrContains(std::filesystem::read_symlink(fd, gone).string(), "muster-arena"))
            << "descriptor " << fd.path();
      }
    }
    EXPECT_GE(with_arena, 3) << "daemon, pool host and workers map it";
  }
}

}  // namespace
}  // namespace muster
