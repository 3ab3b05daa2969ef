#include "tests/bench/foreign_load.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster::bench {
namespace {

constexpr pid_t kKernelThreads = 2;

struct Process {
  pid_t parent = 0;
  uint64_t ticks = 0;
};

// Fields of /proc/PID/stat behind the name, which may hold spaces; proc(5).
Process ParseStat(absl::string_view text) {
  Process process;
  const size_t close = text.rfind(')');
  if (close == absl::string_view::npos) return process;
  const std::vector<absl::string_view> fields = absl::StrSplit(text.substr(close + 2), ' ');
  if (fields.size() < 15) return process;
  (void)absl::SimpleAtoi(fields[1], &process.parent);
  for (const size_t index : {11, 12, 13, 14}) {
    int64_t ticks = 0;
    if (absl::SimpleAtoi(fields[index], &ticks) && ticks > 0) process.ticks += static_cast<uint64_t>(ticks);
  }
  return process;
}

std::map<pid_t, Process> ReadAll() {
  std::map<pid_t, Process> all;
  DIR* const proc = opendir("/proc");
  if (proc == nullptr) return all;
  while (const dirent* entry = readdir(proc)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    const absl::StatusOr<std::string> stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
    if (stat.ok()) all[pid] = ParseStat(*stat);
  }
  closedir(proc);
  return all;
}

bool Descends(const std::map<pid_t, Process>& all, pid_t pid, pid_t from) {
  for (size_t depth = 0; pid > 1 && depth < all.size(); ++depth) {
    if (pid == from) return true;
    const auto found = all.find(pid);
    if (found == all.end()) return false;
    pid = found->second.parent;
  }
  return false;
}

uint64_t StolenTicks() {
  const absl::StatusOr<std::string> stat = ReadFile("/proc/stat");
  if (!stat.ok()) return 0;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(stat->substr(0, stat->find('\n')), ' ', absl::SkipEmpty());
  uint64_t ticks = 0;
  if (fields.size() > 8) (void)absl::SimpleAtoi(fields[8], &ticks);
  return ticks;
}

}  // namespace

absl::StatusOr<ForeignReading> ReadForeign(pid_t ours) {
  const std::map<pid_t, Process> all = ReadAll();
  if (all.empty()) return absl::UnavailableError("/proc shows no process");
  uint64_t ticks = StolenTicks();
  for (const auto& [pid, process] : all) {
    const bool is_kernel = pid == kKernelThreads || process.parent == kKernelThreads;
    // Those above us have our own time among their children's.
    if (is_kernel || Descends(all, pid, ours) || Descends(all, ours, pid)) continue;
    ticks += process.ticks;
  }
  return ForeignReading{MonotonicNs(), static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK))};
}

double ForeignShare(const ForeignReading& before, const ForeignReading& after) {
  const double wall_s = static_cast<double>(after.at_ns - before.at_ns) * 1e-9;
  const double cpus = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  if (wall_s <= 0) return 0;
  return std::clamp((after.cpu_s - before.cpu_s) / (wall_s * cpus), 0.0, 1.0);
}

}  // namespace muster::bench
