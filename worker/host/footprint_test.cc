// What a worker at its gate costs in pages: counts, which no load on the machine changes.
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_io.h"
#include "gtest/gtest.h"
#include "worker/host/testing/pool_host_test_base.h"

namespace muster::host {
namespace {

constexpr uint32_t kWorkers = 64;

std::string ProcFile(pid_t pid, absl::string_view name) {
  return ReadFile(absl::StrCat("/proc/", pid, "/", name)).value_or("");
}

// proc_pid_stat(5): minflt is the tenth field; the name before it, in brackets, is the second.
int64_t MinorFaults(pid_t pid) {
  const std::string text = ProcFile(pid, "stat");
  const std::vector<std::string> fields = absl::StrSplit(text.substr(text.rfind(')') + 1), ' ', absl::SkipEmpty());
  int64_t faults = -1;
  return fields.size() > 7 && absl::SimpleAtoi(fields[7], &faults) ? faults : -1;
}

// "NAME:  NUMBER kB".
int64_t KbIn(const std::string& text, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t kb = -1;
    if (words.size() > 1 && words[0] == name && absl::SimpleAtoi(words[1], &kb)) return kb;
  }
  return -1;
}

int64_t PrivateDirtyKb(pid_t pid) { return KbIn(ProcFile(pid, "smaps_rollup"), "Private_Dirty:"); }

int64_t PageTableKb(pid_t pid) { return KbIn(ProcFile(pid, "status"), "VmPTE:"); }

int64_t Mappings(pid_t pid) {
  const std::string text = ProcFile(pid, "maps");
  return std::count(text.begin(), text.end(), '\n');
}

int64_t OpenFiles(pid_t pid) {
  const std::filesystem::directory_iterator files(absl::StrCat("/proc/", pid, "/fd"));
  return std::distance(begin(files), end(files));
}

class FootprintTest : public PoolHostTestBase {
 protected:
  // Of workers of the default type, which have reached their gate. The first pool brings the binary into the page
  // cache.
  static int64_t Typical(const std::function<int64_t(pid_t)>& count) {
    int64_t typical = -1;
    for (int pool = 0; pool < 2; ++pool) {
      HostDriver host({.binary = getenv("MUSTER_WORKER")});
      const control::Reply spawned = host.Spawn(absl::StrCat("num_workers: ", kWorkers));
      EXPECT_EQ(spawned.code(), 0) << spawned.message();
      std::vector<int64_t> counts;
      for (uint32_t worker = 0; worker < kWorkers; ++worker) counts.push_back(count(host.PidOf(worker)));
      std::sort(counts.begin(), counts.end());
      typical = counts[kWorkers / 2];
    }
    EXPECT_GE(typical, 0) << "nothing could be read";
    return typical;
  }
};

// Seven on the machine where worker_text.lds was made; where the C library picks other variants of its functions, a few
// more.
TEST_F(FootprintTest, AWorkerReachesItsGateWithFewPageFaults) { EXPECT_LE(Typical(MinorFaults), 10); }

TEST_F(FootprintTest, AWorkerAtItsGateHasWrittenFewPagesOfItsOwn) { EXPECT_LE(Typical(PrivateDirtyKb), 24); }

TEST_F(FootprintTest, AWorkerAtItsGateHasFewMappings) { EXPECT_LE(Typical(Mappings), 14); }

// Six where the whole layout is random; each is a page to clear, and one more that a hypervisor shadows.
TEST_F(FootprintTest, AWorkersPageTablesAreFew) { EXPECT_LE(Typical(PageTableKb), 40); }

TEST_F(FootprintTest, AWorkerBecomesAProgramWithRandomAddresses) {
  // ADDR_NO_RANDOMIZE; personality(2).
  EXPECT_EQ(Typical([](pid_t pid) { return std::stol(ProcFile(pid, "personality"), nullptr, 16) & 0x0040000; }), 0);
}

// Each file of procfs would cost the worker two more inodes on its way to the gate and out again.
TEST_F(FootprintTest, AWorkerAtItsGateHasOpenedNoFileOfItsOwn) {
  // The standard streams, the bell, procfs itself.
  EXPECT_LE(Typical(OpenFiles), 5);
}

}  // namespace
}  // namespace muster::host
