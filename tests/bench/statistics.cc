#include "tests/bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace muster::bench {
namespace {

double At(const std::vector<double>& sorted, double part) {
  const double place = part * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

// Chance that a median's interval which leaves out numbers at both ends misses it.
constexpr double kMedianMissed = 0.05;

Interval SpreadOf(const std::vector<double>& ratios) {
  if (ratios.size() >= kPairsForInterval) return MedianInterval(ratios);
  const Quartiles quartiles = QuartilesOf(ratios);
  return {quartiles.lower, quartiles.upper};
}

}  // namespace

Interval MedianInterval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  // Chance that exactly i of n lie below the median, and that at most so many do.
  double exactly = std::pow(0.5, static_cast<double>(n));
  double at_most = exactly;
  size_t left_out = 0;
  for (size_t i = 0; 2 * at_most <= kMedianMissed; ++i) {
    left_out = i;
    exactly *= static_cast<double>(n - i) / static_cast<double>(i + 1);
    at_most += exactly;
  }
  return {values[left_out], values[n - 1 - left_out]};
}

Quartiles QuartilesOf(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {At(values, 0.25), At(values, 0.5), At(values, 0.75)};
}

absl::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kMet:
      return "met";
    case Verdict::kMissed:
      return "MISSED";
    case Verdict::kNoisy:
      return "noisy";
    case Verdict::kTooFew:
      return "quick";
    case Verdict::kNotMeasured:
      return "absent";
  }
  return "unknown";
}

Verdict Judge(const Goal& goal, const Evidence& evidence) {
  if (evidence.pairs_wanted < kPairsForVerdict) return Verdict::kTooFew;
  if (evidence.ratios.size() < kPairsForVerdict) return Verdict::kNoisy;
  const bool holds = goal.Holds(QuartilesOf(evidence.ratios).median);
  const Interval spread = SpreadOf(evidence.ratios);
  if (goal.Holds(spread.lower) != holds || goal.Holds(spread.upper) != holds) return Verdict::kNoisy;
  return holds ? Verdict::kMet : Verdict::kMissed;
}

}  // namespace muster::bench
