#include "worker/meter/procfs.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <numeric>
#include <string>

#include "gtest/gtest.h"
#include "worker/arena/text.h"

namespace muster {
namespace {

TEST(SchedstatTest, AGoodLineAndExtraFieldsAreRead) {
  for (const char* text : {"12 34 56\n", "12 34 56", "  12  34  56 78 99\n"}) {
    const auto schedstat = ParseSchedstat(text);
    ASSERT_TRUE(schedstat.has_value()) << text;
    EXPECT_EQ(schedstat->cpu_ns, 12u);
    EXPECT_EQ(schedstat->run_delay_ns, 34u);
    EXPECT_EQ(schedstat->run_count, 56u);
  }
}

TEST(SchedstatTest, MalformedTextIsNothing) {
  for (const char* text :
       {"", "\n", "12", "12 34", "12 34 \n", "a b c", "12 x 56", "12 34 -5", "1 2 99999999999999999999"}) {
    EXPECT_FALSE(ParseSchedstat(text).has_value()) << text;
  }
}

TEST(VmstatTest, TheWholeNameCounts) {
  EXPECT_EQ(ParseVmstat("a 1\nnuma_pages_migrated_x 5\nnuma_pages_migrated 7\nb 2\n", "numa_pages_migrated"), 7u);
  EXPECT_EQ(ParseVmstat("numa_pages_migrated 7", "numa_pages_migrated"), 7u);
}

TEST(VmstatTest, MalformedTextIsNothing) {
  for (const char* text :
       {"", "numa_pages_migrated", "numa_pages_migrated ", "numa_pages_migrated x\n", "numa 3\n", "\n\n"}) {
    EXPECT_FALSE(ParseVmstat(text, "numa_pages_migrated").has_value()) << text;
  }
}

using Pages = std::array<uint64_t, arena::kMaxNodeId + 1>;

Pages Sum(absl::string_view text, size_t piece_bytes) {
  Pages pages = {};
  NumaMapsParser parser(pages.data());
  for (size_t at = 0; at < text.size(); at += piece_bytes) parser.Feed(text.substr(at, piece_bytes));
  parser.Finish();
  return pages;
}

TEST(NumaMapsTest, PagesAreSummedPerNodeHoweverTheTextIsCut) {
  constexpr char kText[] =
      "7f00 default file=/usr/lib/N1=9 mapped=5 N0=3 N1=2 kernelpagesize_kB=4\n"
      "7f10 default anon=12 dirty=12 N0=12 kernelpagesize_kB=4\n"
      "7f20 bind:0-1 anon=1 N63=1";
  for (const size_t piece : {1, 2, 3, 7, 1'000}) {
    const Pages pages = Sum(kText, piece);
    EXPECT_EQ(pages[0], 15u) << piece;
    EXPECT_EQ(pages[1], 2u) << piece;
    EXPECT_EQ(pages[63], 1u) << piece;
  }
}

TEST(NumaMapsTest, MalformedTokensCountNothing) {
  for (const char* text : {"", "N", "N=", "N=5", "N1", "N1=", "N1=x", "N1=5x", "Nx=5", "xN1=5", "N64=5", "N-1=5",
                           "N1==5", "N99999999999999999999=5", "n1=5", "\n\n  \n"}) {
    const Pages pages = Sum(text, 1);
    EXPECT_EQ(std::accumulate(pages.begin(), pages.end(), uint64_t{0}), 0u) << text;
  }
}

TEST(TaskFilesTest, TheCallersOwnFilesAreRead) {
  const UniqueFd proc = OpenProc();
  const TaskFiles files = TaskFiles::Open(proc.get(), TaskFiles::Of::kThread);
  const auto before = files.ReadSchedstat();
  ASSERT_TRUE(before.ok()) << before.status();
  arena::CgroupText cgroup = {};
  ASSERT_TRUE(files.ReadCgroup(&cgroup).ok());
  EXPECT_EQ(arena::TextView(cgroup).substr(0, 1), "/");
  const auto after = files.ReadSchedstat();
  ASSERT_TRUE(after.ok());
  EXPECT_GE(after->cpu_ns, before->cpu_ns);
  EXPECT_GE(after->run_count, 1u);
}

TEST(TaskFilesTest, WithoutFilesTheReadingSaysWhichFailed) {
  const TaskFiles none;
  EXPECT_NE(std::string(none.ReadSchedstat().status().message()).find("/proc/thread-self/schedstat"),
            std::string::npos);
  arena::CgroupText cgroup = {};
  arena::SetText(&cgroup, "before");
  EXPECT_FALSE(none.ReadCgroup(&cgroup).ok());
  EXPECT_EQ(arena::TextView(cgroup), "before");
}

TEST(NumaPagesTest, TouchedPagesAreSeen) {
  constexpr size_t kPages = 500;
  Pages before = {};
  Pages after = {};
  ASSERT_TRUE(ReadNumaPages(before.data()).ok());
  void* memory =
      mmap(nullptr, kPages * 4'096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_TRUE(ReadNumaPages(after.data()).ok());
  munmap(memory, kPages * 4'096);
  EXPECT_GE(std::accumulate(after.begin(), after.end(), uint64_t{0}),
            std::accumulate(before.begin(), before.end(), uint64_t{0}) + kPages);
}

TEST(VmstatTest, TheMachinesOwnIsReadOrAbsent) {
  const auto pages = ReadNumaPagesMigrated();
  EXPECT_TRUE(pages.ok() || pages.status().code() == absl::StatusCode::kNotFound) << pages.status();
}

}  // namespace
}  // namespace muster
