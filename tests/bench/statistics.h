// What may be said of a ratio that was measured several times.
#ifndef MUSTER_TESTS_BENCH_STATISTICS_H_
#define MUSTER_TESTS_BENCH_STATISTICS_H_

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"

namespace muster::bench {

// Middle half of a set of numbers; each by linear interpolation. Zeros when there are none.
struct Quartiles {
  double lower = 0;
  double median = 0;
  double upper = 0;
};
Quartiles QuartilesOf(std::vector<double> values);

// What a ratio is to keep to.
struct Goal {
  enum class Side { kAtMost, kAtLeast };
  Side side = Side::kAtMost;
  double bound = 0;

  bool Holds(double ratio) const { return side == Side::kAtMost ? ratio <= bound : ratio >= bound; }
};

enum class Verdict {
  kMet,
  kMissed,
  kNoisy,       // the machine could not tell
  kTooFew,      // fewer pairs than a verdict needs were asked for
  kNotMeasured  // something that the row needs is not here
};
absl::string_view VerdictName(Verdict verdict);

// Fewest undisturbed pairs for a verdict.
inline constexpr size_t kPairsForVerdict = 5;
// Share of all CPUs that others may take during a pair before it counts as disturbed.
inline constexpr double kForeignShare = 0.08;

// From that many on the spread of the median itself is known well enough to judge by it.
inline constexpr size_t kPairsForInterval = 11;

// Where the median of what the numbers were drawn from lies: with 95 % certainty or more, whatever their distribution
// (between two of them, by the binomial distribution). Takes at least 6 numbers; with fewer no two of them say so much.
struct Interval {
  double lower = 0;
  double upper = 0;
};
Interval MedianInterval(std::vector<double> values);

// The rule: a verdict needs five undisturbed pairs, and the median and the middle half on the same side of the goal;
// from kPairsForInterval pairs on, the interval of the median in place of the middle half. Otherwise the machine was
// too noisy to tell.
struct Evidence {
  std::vector<double> ratios;  // of undisturbed pairs
  size_t pairs_wanted = 0;
};
Verdict Judge(const Goal& goal, const Evidence& evidence);

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_STATISTICS_H_
