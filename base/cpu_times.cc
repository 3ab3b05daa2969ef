#include "base/cpu_times.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace muster {
namespace {

// Columns of a CPU's line in /proc/stat, from the first after its name. Those from kGuest on are contained in user and
// nice.
constexpr size_t kIdle = 3;
constexpr size_t kWaitingForDisk = 4;
constexpr size_t kGuest = 8;

bool AddLine(absl::string_view line, CpuTimes* times) {
  const std::vector<absl::string_view> columns = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (columns.size() < kWaitingForDisk + 2) return false;
  for (size_t i = 1; i < columns.size() && i - 1 < kGuest; ++i) {
    uint64_t ticks = 0;
    if (!absl::SimpleAtoi(columns[i], &ticks)) return false;
    times->total += ticks;
    if (i - 1 != kIdle && i - 1 != kWaitingForDisk) times->busy += ticks;
  }
  return true;
}

}  // namespace

absl::StatusOr<CpuTimes> SumCpuTimes(absl::string_view stat, const CpuSet& cpus) {
  CpuTimes times;
  size_t found = 0;
  for (absl::string_view line : absl::StrSplit(stat, '\n')) {
    absl::string_view id_text = line.substr(0, line.find(' '));
    uint32_t id = 0;
    if (!absl::ConsumePrefix(&id_text, "cpu") || !absl::SimpleAtoi(id_text, &id) || !cpus.Contains(id)) continue;
    if (!AddLine(line, &times)) return absl::InternalError(absl::StrCat("a line of /proc/stat not understood: ", line));
    ++found;
  }
  if (found == 0) return absl::InternalError(absl::StrCat("/proc/stat has no line of the CPUs ", cpus.ToString()));
  return times;
}

}  // namespace muster
