// All comparisons, by the stage of a workload's life.
#ifndef MUSTER_TESTS_BENCH_EXPERIMENTS_H_
#define MUSTER_TESTS_BENCH_EXPERIMENTS_H_

#include <vector>

#include "tests/bench/experiment.h"
#include "tests/bench/stand.h"

namespace muster::bench {

struct Setting {
  Programs programs;
  bool quick = false;
};

// Each opens its daemons when it is first measured; they end with the last copy of the experiment.
std::vector<Experiment> MeterExperiments(const Setting& setting);
std::vector<Experiment> SpawnExperiments(const Setting& setting);
std::vector<Experiment> GateExperiments(const Setting& setting);
std::vector<Experiment> WatchExperiments(const Setting& setting);
std::vector<Experiment> ReportExperiments(const Setting& setting);
std::vector<Experiment> WorkExperiments(const Setting& setting);
std::vector<Experiment> EndExperiments(const Setting& setting);
std::vector<Experiment> ScaleExperiments(const Setting& setting);

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_EXPERIMENTS_H_
