#include "tests/bench/experiment.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "tests/bench/foreign_load.h"

namespace muster::bench {
namespace {

constexpr timespec kQuietLook = {0, 300'000'000};

// Returns when others are quiet, or patience is at its end.
void AwaitQuiet(double patience_s) {
  const uint64_t until_ns = MonotonicNs() + static_cast<uint64_t>(patience_s * 1e9);
  absl::StatusOr<ForeignReading> before = ReadForeign(getpid());
  while (before.ok() && MonotonicNs() < until_ns) {
    nanosleep(&kQuietLook, nullptr);
    const absl::StatusOr<ForeignReading> now = ReadForeign(getpid());
    if (!now.ok() || ForeignShare(*before, *now) <= kForeignShare / 2) return;
    before = now;
  }
}

Round RunRound(const Experiment& experiment, bool reversed) {
  Round round;
  std::vector<const Party*> order;
  for (const Party& party : experiment.parties) order.push_back(&party);
  if (reversed) std::reverse(order.begin(), order.end());
  const absl::StatusOr<ForeignReading> before = ReadForeign(getpid());
  for (const Party* party : order) {
    absl::StatusOr<Values> values = party->measure();
    if (!values.ok()) {
      round.errors[party->name] = std::string(values.status().message());
      continue;
    }
    round.values.merge(*values);
  }
  const absl::StatusOr<ForeignReading> after = ReadForeign(getpid());
  if (before.ok() && after.ok()) round.foreign_share = ForeignShare(*before, *after);
  return round;
}

// False: this round says nothing about the row.
bool RatioOf(const Row& row, const Round& round, double* ratio) {
  const auto numerator = round.values.find(row.numerator);
  if (numerator == round.values.end()) return false;
  *ratio = numerator->second * row.scale;
  if (row.denominator.empty()) return true;
  const auto denominator = round.values.find(row.denominator);
  if (denominator == round.values.end() || denominator->second == 0) return false;
  *ratio /= denominator->second;
  return true;
}

double MedianOf(const std::vector<Round>& rounds, const std::string& name) {
  std::vector<double> values;
  for (const Round& round : rounds) {
    const auto found = round.values.find(name);
    if (found != round.values.end()) values.push_back(found->second);
  }
  return QuartilesOf(values).median;
}

std::string FirstError(const std::vector<Round>& rounds) {
  for (const Round& round : rounds) {
    for (const auto& [party, error] : round.errors) return absl::StrCat(party, ": ", error);
  }
  return "";
}

size_t CountUndisturbed(const std::vector<Round>& rounds) {
  return static_cast<size_t>(
      std::count_if(rounds.begin(), rounds.end(), [](const Round& round) { return !round.disturbed(); }));
}

bool AnyInDoubt(const std::vector<Row>& rows, const std::vector<Round>& rounds, const Effort& effort) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Row& row) { return JudgeRow(row, rounds, effort.pairs).verdict == Verdict::kNoisy; });
}

}  // namespace

RowResult JudgeRow(const Row& row, const std::vector<Round>& rounds, size_t pairs_wanted) {
  RowResult result;
  result.row = row;
  Evidence evidence;
  evidence.pairs_wanted = pairs_wanted;
  for (const Round& round : rounds) {
    double ratio = 0;
    if (!RatioOf(row, round, &ratio)) continue;
    result.ratios.push_back(ratio);
    if (!round.disturbed()) evidence.ratios.push_back(ratio);
  }
  result.note = FirstError(rounds);
  if (result.ratios.empty()) return result;
  result.pairs = result.ratios.size();
  result.disturbed = result.pairs - evidence.ratios.size();
  result.ratio = QuartilesOf(evidence.ratios.empty() ? result.ratios : evidence.ratios);
  result.ours = MedianOf(rounds, row.numerator);
  result.against = MedianOf(rounds, row.denominator);
  result.verdict = Judge(row.goal, evidence);
  return result;
}

std::vector<Round> TakeRounds(const std::vector<Row>& rows, const Effort& effort,
                              const std::function<Round(size_t index)>& take) {
  std::vector<Round> rounds;
  const auto add_round = [&] {
    rounds.push_back(take(rounds.size()));
    return !rounds.back().values.empty();
  };
  while (rounds.size() < effort.max_rounds && CountUndisturbed(rounds) < effort.pairs) {
    if (!add_round()) break;
    // A machine that was never quiet is not about to become so.
    if (rounds.size() == effort.pairs && CountUndisturbed(rounds) == 0) break;
  }
  if (CountUndisturbed(rounds) < effort.pairs || !AnyInDoubt(rows, rounds, effort)) return rounds;
  // Looking after each pair whether it decides would let chance choose when to stop, so the next look has enough pairs.
  const uint64_t until_ns = MonotonicNs() + static_cast<uint64_t>(effort.doubt_s * 1e9);
  while (rounds.size() < effort.rounds_in_doubt && MonotonicNs() < until_ns &&
         (CountUndisturbed(rounds) < kPairsForInterval || AnyInDoubt(rows, rounds, effort))) {
    if (!add_round()) break;
  }
  return rounds;
}

Outcome Run(const Experiment& experiment, const Effort& effort) {
  // Caches and page tables are warm afterwards.
  RunRound(experiment, false);
  std::vector<Round> rounds = TakeRounds(experiment.rows, effort, [&](size_t index) {
    AwaitQuiet(effort.patience_s);
    return RunRound(experiment, index % 2 == 1);
  });
  Outcome outcome;
  outcome.name = experiment.name;
  for (const Row& row : experiment.rows) outcome.rows.push_back(JudgeRow(row, rounds, effort.pairs));
  for (const Round& round : rounds) {
    for (const auto& [name, value] : round.values) outcome.medians[name] = MedianOf(rounds, name);
  }
  outcome.rounds = std::move(rounds);
  return outcome;
}

}  // namespace muster::bench
