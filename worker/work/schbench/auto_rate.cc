#include "worker/work/schbench/auto_rate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// Columns of a CPU's line in /proc/stat, from the first after its name. Those from kGuest on are contained in user and nice.
constexpr size_t kIdle = 3;
constexpr size_t kWaitingForDisk = 4;
constexpr size_t kGuest = 8;

// Farthest that a rate goes in one period.
constexpr double kMostGrowth = 3;
constexpr double kMostShrinkage = 0.3;
// Within a fifth of the target a quarter of the way is gone in a period, within a half a half: the busy time follows a rate
// late, and so it does not swing around the target.
constexpr double kNear = 0.2;
constexpr double kNotFar = 0.5;

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

double NextRate(double rate, double busy_percent, double target_percent) {
  const double wanted = std::clamp(target_percent / std::max(busy_percent, 0.01), kMostShrinkage, kMostGrowth);
  const double distance = std::abs(wanted - 1);
  const double part = distance < kNear ? 0.25 : distance < kNotFar ? 0.5 : 1;
  return std::clamp(rate * (1 + (wanted - 1) * part), 1.0, kMaxAutoRate);
}

absl::Status AutoRate::EndPeriod(absl::string_view stat) {
  ASSIGN_OR_RETURN(const CpuTimes now, SumCpuTimes(stat, cpus_));
  // A period without a tick says nothing.
  if (before_.has_value() && now.total > before_->total) {
    const double busy = static_cast<double>(now.busy - before_->busy) / static_cast<double>(now.total - before_->total);
    rate_ = NextRate(rate_, 100 * busy, target_percent_);
  }
  before_ = now;
  return absl::OkStatus();
}

}  // namespace muster
