// Measures muster against the machine's own limits; run by tools/bench.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_io.h"
#include "base/log.h"
#include "tests/bench/experiments.h"
#include "tests/bench/output.h"

ABSL_FLAG(std::string, root, "bazel-bin", "where the programs were built");
ABSL_FLAG(std::vector<std::string>, only, {}, "rows or experiments to measure; empty: all");
ABSL_FLAG(bool, quick, false, "three short pairs each, and no verdicts");
ABSL_FLAG(bool, list, false, "print the experiments and their rows, and measure nothing");
ABSL_FLAG(std::string, out, "", "directory for bench.json, table.md and growth.svg; empty: none");
ABSL_FLAG(bool, precedence, false,
          "take precedence over everybody else on this machine (nice -20 for the bench's sessions)");
ABSL_FLAG(double, patience, 20, "seconds to wait before a round for others to become quiet");

namespace muster::bench {
namespace {

Programs ProgramsBelow(const std::string& root, bool precedence) {
  Programs programs;
  programs.precedence = precedence;
  programs.musterd = root + "/daemon/musterd";
  programs.worker = root + "/worker/muster-worker";
  programs.bare = root + "/tests/bench/bare/bare";
  programs.ballast = root + "/tests/bench/libballast.so";
  programs.microbench = root + "/worker/meter/meter_benchmark";
  programs.filler = root + "/tests/bench/filler_worker";
  programs.varint_peer = root + "/tests/bench/varint_peer";
  programs.stream_peer = root + "/tests/bench/stream_peer";
  return programs;
}

std::vector<Experiment> AllExperiments(const Setting& setting) {
  std::vector<Experiment> all;
  for (const auto& make : {MeterExperiments, WorkExperiments, SpawnExperiments, GateExperiments, WatchExperiments,
                           ReportExperiments, EndExperiments, ScaleExperiments}) {
    for (Experiment& experiment : make(setting)) all.push_back(std::move(experiment));
  }
  return all;
}

bool IsWanted(const Experiment& experiment, const std::vector<std::string>& only) {
  if (only.empty() || std::find(only.begin(), only.end(), experiment.name) != only.end()) return true;
  return std::any_of(experiment.rows.begin(), experiment.rows.end(),
                     [&](const Row& row) { return std::find(only.begin(), only.end(), row.id) != only.end(); });
}

Effort EffortOf(bool quick) {
  Effort effort;
  effort.quick = quick;
  effort.patience_s = absl::GetFlag(FLAGS_patience);
  if (!quick) return effort;
  effort.patience_s = 0;
  effort.pairs = 3;
  effort.max_rounds = 3;
  effort.rounds_in_doubt = 0;
  return effort;
}

absl::Status WriteText(const std::string& path, const std::string& text) {
  absl::StatusOr<UniqueFd> file = OpenAt(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  return file.ok() ? WriteAll(file->get(), text) : file.status();
}

absl::Status WriteOut(const std::string& directory, const std::vector<Outcome>& outcomes) {
  if (directory.empty()) return absl::OkStatus();
  const Machine machine = ThisMachine();
  absl::Status status = WriteText(directory + "/bench.json", Json(machine, outcomes));
  if (status.ok()) status = WriteText(directory + "/table.md", Markdown(machine, outcomes));
  const std::string svg = Svg(machine, outcomes);
  if (status.ok() && !svg.empty()) status = WriteText(directory + "/growth.svg", svg);
  return status;
}

void List(const std::vector<Experiment>& experiments) {
  for (const Experiment& experiment : experiments) {
    for (const Row& row : experiment.rows) {
      printf("%-16s %-20s %s / %s\n", experiment.name.c_str(), row.id.c_str(), row.step.c_str(), row.limit.c_str());
    }
  }
}

bool AnyMissed(const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) {
    for (const RowResult& result : outcome.rows) {
      if (result.verdict == Verdict::kMissed) return true;
    }
  }
  return false;
}

int Main() {
  const bool quick = absl::GetFlag(FLAGS_quick);
  // For the orphans of a daemon that was killed.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) LogWarning("orphans go to init, and count as load of others");
  std::vector<Experiment> experiments =
      AllExperiments({ProgramsBelow(absl::GetFlag(FLAGS_root), absl::GetFlag(FLAGS_precedence)), quick});
  if (absl::GetFlag(FLAGS_list)) {
    List(experiments);
    return 0;
  }
  if (absl::GetFlag(FLAGS_precedence)) {
    if (const absl::Status status = TakePrecedence(); !status.ok()) LogWarning(status.message());
  }
  const Machine machine = ThisMachine();
  printf("%s, %s, %d x %s\n%s", machine.date.c_str(), machine.kernel.c_str(), machine.cpus, machine.cpu.c_str(),
         TableHead().c_str());
  std::vector<Outcome> outcomes;
  // An experiment's daemons end with it.
  for (std::reverse(experiments.begin(), experiments.end()); !experiments.empty(); experiments.pop_back()) {
    if (!IsWanted(experiments.back(), absl::GetFlag(FLAGS_only))) continue;
    outcomes.push_back(Run(experiments.back(), EffortOf(quick)));
    for (const RowResult& result : outcomes.back().rows) fputs(TableLine(result).c_str(), stdout);
    fflush(stdout);
  }
  fputs(TableFoot(outcomes).c_str(), stdout);
  if (const absl::Status status = WriteOut(absl::GetFlag(FLAGS_out), outcomes); !status.ok()) {
    LogWarning(status.message());
    return 2;
  }
  return AnyMissed(outcomes) ? 1 : 0;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return muster::bench::Main();
}
