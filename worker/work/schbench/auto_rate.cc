#include "worker/work/schbench/auto_rate.h"

#include <algorithm>
#include <cmath>

#include "base/status_macros.h"

namespace muster {
namespace {

// Farthest that a rate goes in one period.
constexpr double kMostGrowth = 3;
constexpr double kMostShrinkage = 0.3;
// Within a fifth of the target a quarter of the way is gone in a period, within a half a half: the busy time follows a
// rate late, and so it does not swing around the target.
constexpr double kNear = 0.2;
constexpr double kNotFar = 0.5;

}  // namespace

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
