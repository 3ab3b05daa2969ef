// What a run leaves: a table for people, JSON for programs, a chart of how cost grows.
#ifndef MUSTER_TESTS_BENCH_OUTPUT_H_
#define MUSTER_TESTS_BENCH_OUTPUT_H_

#include <string>
#include <vector>

#include "tests/bench/experiment.h"

namespace muster::bench {

// Where and when.
struct Machine {
  std::string date;
  std::string kernel;
  std::string cpu;
  int cpus = 0;
};
Machine ThisMachine();

std::string TableHead();
// One line of the table.
std::string TableLine(const RowResult& result);
// What the columns and verdicts mean, and how many of each there are.
std::string TableFoot(const std::vector<Outcome>& outcomes);

// The table once more, for a document.
std::string Markdown(const Machine& machine, const std::vector<Outcome>& outcomes);

std::string Json(const Machine& machine, const std::vector<Outcome>& outcomes);

// Cost per worker against the number of workers, both axes logarithmic; empty without an experiment named "growth".
std::string Svg(const Machine& machine, const std::vector<Outcome>& outcomes);

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_OUTPUT_H_
