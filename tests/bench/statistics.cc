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

}  // namespace

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
  const Quartiles quartiles = QuartilesOf(evidence.ratios);
  const bool holds = goal.Holds(quartiles.median);
  if (goal.Holds(quartiles.lower) != holds || goal.Holds(quartiles.upper) != holds) return Verdict::kNoisy;
  return holds ? Verdict::kMet : Verdict::kMissed;
}

}  // namespace muster::bench
