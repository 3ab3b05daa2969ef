// Placing, starting and stopping workers.
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
using Daemon = std::shared_ptr<LazyBench>;

constexpr uint32_t kWorkers = 1000;
constexpr int kEmptyCalls = 5;

Party Living(const std::string& name, const Daemon& daemon, const Life& life) {
  Life named = life;
  named.prefix = absl::StrCat(name, ".");
  return {name, [=]() -> absl::StatusOr<Values> {
            ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
            return Live(bench->client(), named);
          }};
}

Party Bare(const Setting& setting, std::vector<std::string> arguments, const std::string& prefix = "bare.") {
  return {absl::StrCat("bare ", arguments[0]), [=] { return RunBare(setting.programs, arguments, prefix); }};
}

// The smallest call that the daemon serves: it reads the counters of one worker, and no thread is handed anything. Made
// where Start is made, as the first call after a Spawn of as many: by then all caches are others'.
absl::StatusOr<Values> EmptyCalls(const Daemon& daemon) {
  ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
  ASSIGN_OR_RETURN(const WorkloadHandle handle, bench->client().Spawn(Blockers(1)));
  std::vector<uint64_t> took_ns;
  for (int i = 0; i < kEmptyCalls; ++i) {
    ASSIGN_OR_RETURN(const WorkloadHandle many, bench->client().Spawn(Blockers(kWorkers)));
    const uint64_t began_ns = MonotonicNs();
    RETURN_IF_ERROR(handle.SnapshotIterations().status());
    took_ns.push_back(MonotonicNs() - began_ns);
  }
  std::sort(took_ns.begin(), took_ns.end());
  return Values{{"empty.call_ns", took_ns[took_ns.size() / 2]}};
}

Experiment Start(const Setting& setting) {
  const auto daemon = std::make_shared<LazyBench>(setting.programs);
  const Life many = {.spec = Blockers(kWorkers)};
  return {.name = "start",
          .parties = {Living("many", daemon, many),
                      Bare(setting, {"release", absl::StrCat(kWorkers)}, "wake."),
                      Bare(setting, {"pipes", absl::StrCat(kWorkers)}, "pipes."),
                      Living("few", daemon, {.spec = Blockers(10)}),
                      Living("threads", daemon, {.spec = Blockers(kWorkers, "clone_mode: THREAD")}),
                      {"empty call", [daemon] { return EmptyCalls(daemon); }}},
          .rows = {{"release",
                    "release call at 1,000",
                    "loop of pipe writes",
                    "many.release_ns",
                    "pipes.release_ns",
                    {Side::kAtMost, 0.02}},
                   {"release-flat",
                    "release call at 1,000",
                    "release call at 10",
                    "many.release_ns",
                    "few.release_ns",
                    {Side::kAtMost, 3}},
                   {"start-rpc",
                    "Start RPC at 1,000",
                    "an RPC that reads one counter, as the first after a Spawn too",
                    "many.start_ns",
                    "empty.call_ns",
                    {Side::kAtMost, 2}},
                   {"last-start",
                    "last of 1,000 started",
                    "one FUTEX_WAKE of all",
                    "many.last_start_ns",
                    "wake.last_ns",
                    {Side::kAtMost, 0.90}},
                   {"last-start-threads",
                    "last of 1,000 threads started",
                    "the same in fork mode",
                    "threads.last_start_ns",
                    "many.last_start_ns",
                    {Side::kAtMost, 0.55}}}};
}

Experiment Stop(const Setting& setting) {
  const auto daemon = std::make_shared<LazyBench>(setting.programs);
  return {.name = "stop",
          .parties = {Living("spinners", daemon, {.spec = Workers(100, "spin_wait {}"), .run_ms = 200}),
                      Bare(setting, {"stop", "100"})},
          .rows = {{"stop",
                    "Stop of 100 spinners, last to see it",
                    "shared flag",
                    "spinners.stop_ns",
                    "bare.last_stop_ns",
                    {Side::kAtMost, 1.1}}}};
}

absl::StatusOr<Values> PlaceAll(const Daemon& daemon) {
  ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
  ASSIGN_OR_RETURN(WorkloadHandle handle, bench->client().Spawn(AtGate(kWorkers, "cgroups { name: \"there\" }")));
  const uint64_t began_ns = MonotonicNs();
  RETURN_IF_ERROR(handle.Place("there"));
  const double took_ns = MonotonicNs() - began_ns;
  RETURN_IF_ERROR(std::move(handle).Drop());
  return Values{{"place.call_ns", took_ns}};
}

Experiment Place(const Setting& setting) {
  const auto daemon = std::make_shared<LazyBench>(setting.programs);
  const Party bare = {"bare place", [=]() -> absl::StatusOr<Values> {
                        ASSIGN_OR_RETURN(const std::unique_ptr<OwnCgroup> cgroup, OwnCgroup::Make("place"));
                        return RunBare(setting.programs, {"place", absl::StrCat(kWorkers), cgroup->path()});
                      }};
  return {.name = "place",
          .parties = {{"place", [daemon] { return PlaceAll(daemon); }}, bare},
          .rows = {{"place",
                    "Place of 1,000",
                    "loop of writes to cgroup.procs",
                    "place.call_ns",
                    "bare.place_ns",
                    {Side::kAtMost, 1.05}}}};
}

}  // namespace

std::vector<Experiment> GateExperiments(const Setting& setting) {
  return {Start(setting), Stop(setting), Place(setting)};
}

}  // namespace muster::bench
