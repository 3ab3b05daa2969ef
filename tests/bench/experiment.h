// The comparisons: who is measured in turn, and which ratios come out.
#ifndef MUSTER_TESTS_BENCH_EXPERIMENT_H_
#define MUSTER_TESTS_BENCH_EXPERIMENT_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/statistics.h"

namespace muster::bench {

// Numbers of one party in one turn, by name.
using Values = std::map<std::string, double>;

// One of those that are measured in turn. Its names of values are its own.
struct Party {
  std::string name;
  std::function<absl::StatusOr<Values>()> measure;
};

// A line of the table: numerator / denominator within each round; without a denominator the numerator itself.
struct Row {
  std::string id;
  std::string step;
  std::string limit;  // what it is compared with; for an absolute number, its unit
  std::string numerator;
  std::string denominator;
  Goal goal;
  double scale = 1;
};

// Parties that take turns, in the other order every other round, and the rows that come of them.
struct Experiment {
  std::string name;
  std::vector<Party> parties;
  std::vector<Row> rows;
};

// Values of all parties of one round.
struct Round {
  Values values;
  std::map<std::string, std::string> errors;  // by party
  double foreign_share = 0;

  bool disturbed() const { return foreign_share > kForeignShare; }
};

struct RowResult {
  Row row;
  Verdict verdict = Verdict::kNotMeasured;
  Quartiles ratio;
  double ours = 0;     // medians
  double against = 0;  // of the denominator
  size_t pairs = 0;
  size_t disturbed = 0;
  std::string note;
  std::vector<double> ratios;  // all, disturbed ones included
};

// How much trouble to take.
struct Effort {
  size_t pairs = kPairsForVerdict;
  // Rounds for that many undisturbed pairs.
  size_t max_rounds = 3 * kPairsForVerdict;
  // Rounds, and time, for rows about which that many leave doubt.
  size_t rounds_in_doubt = 5 * kPairsForVerdict;
  double doubt_s = 60;
  // Longest time to wait for others to become quiet before a round.
  double patience_s = 20;
  bool quick = false;
};

// What came of an experiment.
struct Outcome {
  std::string name;
  std::vector<RowResult> rows;
  Values medians;             // of every number of every party
  std::vector<Round> rounds;  // the second, fourth, … with the parties in the other order
};

// Runs the parties in turn and judges the rows. One more round is thrown away first.
Outcome Run(const Experiment& experiment, const Effort& effort);

// For tests: how many rounds are taken, and judging alone. `take` runs the round of that number; a round without values
// is the last.
std::vector<Round> TakeRounds(const std::vector<Row>& rows, const Effort& effort,
                              const std::function<Round(size_t index)>& take);
RowResult JudgeRow(const Row& row, const std::vector<Round>& rounds, size_t pairs_wanted);

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_EXPERIMENT_H_
