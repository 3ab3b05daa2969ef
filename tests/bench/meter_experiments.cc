// What lies inside one process, by Google Benchmark.
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "tests/bench/experiments.h"

namespace muster::bench {
namespace {

using Side = Goal::Side;

// Lines of its CSV: name,iterations,real_time,cpu_time,…
absl::StatusOr<Values> Measure(const Programs& programs, double seconds) {
  ASSIGN_OR_RETURN(
      const ProgramOutput output,
      RunProgram({programs.microbench, "--benchmark_format=csv", absl::StrCat("--benchmark_min_time=", seconds),
                  "--benchmark_filter=Checkpoint|WakeSampleWithClocks|EndIteration"}));
  Values values;
  for (absl::string_view line : absl::StrSplit(output.text, '\n')) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    double cpu_ns = 0;
    if (fields.size() < 4 || !absl::SimpleAtod(fields[3], &cpu_ns)) continue;
    values[std::string(absl::StripPrefix(absl::StripSuffix(fields[0], "\""), "\""))] = cpu_ns;
  }
  return values;
}

}  // namespace

std::vector<Experiment> MeterExperiments(const Setting& setting) {
  const double seconds = setting.quick ? 0.05 : 0.3;
  const Programs programs = setting.programs;
  return {{.name = "meter",
           .parties = {{"meter", [=] { return Measure(programs, seconds); }},
                       {"bare",
                        [=] {
                          return RunBare(programs, {"loop", "pipe", "500", "apart"});
                        }}},
           .rows = {{"checkpoint", "one checkpoint", "ns", "BM_Checkpoint", "", {Side::kAtMost, 45}},
                    {"wake-sample",
                     "wake sample: two clock readings and Algorithm R",
                     "ns",
                     "BM_WakeSampleWithClocks",
                     "",
                     {Side::kAtMost, 70}},
                    {"wake-sample-share",
                     "wake sample, of a round trip of the bare pipe loop",
                     "round trip on two CPUs",
                     "BM_WakeSampleWithClocks",
                     "bare.round_trip_ns",
                     {Side::kAtMost, 0.01}}}}};
}

}  // namespace muster::bench
