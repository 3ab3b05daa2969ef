// Reports with full sample vectors, from the daemon to the client.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "tests/bench/experiments.h"
#include "tests/bench/lazy_bench.h"
#include "tests/bench/workloads.h"

namespace muster::bench {
namespace {

using Side = Goal::Side;

// Three vectors of 100,000 numbers.
constexpr uint64_t kReportBytes = 3 * 100'000 * 8;

// Waits until every worker has ended its one iteration, in which it fills its vectors.
absl::Status AwaitAllFull(const WorkloadHandle& handle) {
  const Deadline deadline = Deadline::After(absl::Seconds(30));
  while (!deadline.Expired()) {
    ASSIGN_OR_RETURN(const std::vector<uint64_t> iterations, handle.SnapshotIterations());
    if (std::find(iterations.begin(), iterations.end(), 0u) == iterations.end()) return absl::OkStatus();
    SleepMs(10);
  }
  return absl::DeadlineExceededError("some worker did not fill its vectors");
}

// Only the way of the reports is timed: from the first one that is here to the last.
absl::StatusOr<Values> Collect(LazyBench* daemon, uint32_t workers) {
  ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
  const v1::WorkloadSpec spec = Workers(workers, "custom { function { name: \"fill\" } }");
  ASSIGN_OR_RETURN(WorkloadHandle handle, bench->client().Spawn(spec, {.call = {.timeout = absl::Minutes(3)}}));
  RETURN_IF_ERROR(handle.Start());
  RETURN_IF_ERROR(AwaitAllFull(handle));
  uint64_t first_ns = 0, last_ns = 0, bytes = 0;
  const auto on_report = [&](v1::WorkerReport&& report) {
    last_ns = MonotonicNs();
    if (first_ns == 0) {
      first_ns = last_ns;
      return;
    }
    bytes +=
        8 * (report.wake_latencies_ns_size() + report.iteration_costs_ns_size() + report.timer_latencies_ns_size());
  };
  RETURN_IF_ERROR(std::move(handle).StopAndCollect(on_report).status());
  if (bytes != (workers - 1) * kReportBytes) {
    return absl::InternalError(
        absl::StrCat("the reports have ", bytes, " bytes of samples, not ", (workers - 1) * kReportBytes));
  }
  return Values{{"ours.gb_per_s", static_cast<double>(bytes) / static_cast<double>(last_ns - first_ns)}};
}

absl::StatusOr<Values> Varint(const Programs& programs, uint32_t reports) {
  ASSIGN_OR_RETURN(const ProgramOutput output, RunProgram({programs.varint_peer, absl::StrCat(reports)}));
  return Values{{"varint.gb_per_s", atof(output.text.c_str())}};
}

}  // namespace

std::vector<Experiment> ReportExperiments(const Setting& setting) {
  Programs programs = setting.programs;
  programs.worker = programs.filler;
  // At ordinary priority: a daemon that is busy on all CPUs must not be a real-time one.
  const auto daemon = std::make_shared<LazyBench>(programs, std::vector<std::string>{"--control-priority=0"});
  const uint32_t reports = setting.quick ? 100 : 1000;
  return {{.name = "reports",
           .parties = {{"collect", [=] { return Collect(daemon.get(), reports); }},
                       {"bare",
                        [=] {
                          return RunBare(programs, {"bulk", absl::StrCat(kReportBytes), absl::StrCat(reports)});
                        }},
                       {"varint", [=] { return Varint(programs, reports / 5); }}},
           .rows = {{"reports",
                     absl::StrCat(reports, " full reports (2.4 MB each), daemon to client, GB/s"),
                     "raw unix socket, GB/s",
                     "ours.gb_per_s",
                     "bare.gb_per_s",
                     {Side::kAtLeast, 0.50}},
                    {"reports-varint",
                     "the same",
                     "a packed-varint stream of the same numbers",
                     "ours.gb_per_s",
                     "varint.gb_per_s",
                     {Side::kAtLeast, 2}}}}};
}

}  // namespace muster::bench
