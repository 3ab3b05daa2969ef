// Making workers.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tests/bench/experiments.h"
#include "tests/bench/lazy_bench.h"
#include "tests/bench/workloads.h"

namespace muster::bench {
namespace {

using Side = Goal::Side;
using Daemon = std::shared_ptr<LazyBench>;

constexpr uint32_t kWorkers = 1000;
constexpr char kOneSpawner[] = "--spawners=1";

Daemon MakeDaemon(const Setting& setting, std::vector<std::string> flags, std::vector<std::string> environment = {}) {
  return std::make_shared<LazyBench>(setting.programs, std::move(flags), std::move(environment));
}

Party Spawning(const std::string& name, const Daemon& daemon, const v1::WorkloadSpec& spec) {
  return {name, [=]() -> absl::StatusOr<Values> {
            ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
            return SpawnAndDrop(bench->client(), spec, absl::StrCat(name, "."));
          }};
}

Party Bare(const Setting& setting, std::vector<std::string> arguments) {
  return {absl::StrCat("bare ", arguments[0]), [=] { return RunBare(setting.programs, arguments); }};
}

Experiment Clone(const Setting& setting) {
  return {.name = "spawn",
          .parties = {Spawning("one", MakeDaemon(setting, {kOneSpawner}), AtGate(kWorkers)),
                      Bare(setting, {"spawn", absl::StrCat(kWorkers)}),
                      Spawning("two", MakeDaemon(setting, {"--spawners=2"}), AtGate(kWorkers))},
          .rows = {{"spawn-one",
                    "Spawn RPC, 1,000 fork workers at the gate, one spawner",
                    "clone3 loop of a static process",
                    "one.spawn_ns",
                    "bare.spawn_ns",
                    {Side::kAtMost, 1.10}},
                   {"spawn-two",
                    "the same, two spawners",
                    "clone3 loop of a static process",
                    "two.spawn_ns",
                    "bare.spawn_ns",
                    {Side::kAtMost, 0.75}},
                   {"kill-1000",
                    "kill and reap of 1,000 (Drop RPC)",
                    "kill all, then waitpid each",
                    "two.drop_ns",
                    "bare.reap_ns",
                    {Side::kAtMost, 1.15}}}};
}

Experiment InCgroup(const Setting& setting) {
  const Daemon daemon = MakeDaemon(setting, {});
  const std::string cgroup = "cgroups { name: \"born\" } cgroup: \"born\"";
  return {.name = "spawn-cgroup",
          .parties = {Spawning("born", daemon, AtGate(kWorkers, cgroup)), Spawning("plain", daemon, AtGate(kWorkers))},
          .rows = {{"spawn-cgroup",
                    "Spawn of 1,000 born inside a cgroup that the spec names",
                    "Spawn without one",
                    "born.spawn_ns",
                    "plain.spawn_ns",
                    {Side::kAtMost, 1.05}}}};
}

Experiment Ballast(const Setting& setting) {
  const auto preload = [&](const std::string& what) {
    return MakeDaemon(setting, {}, {absl::StrCat("LD_PRELOAD=", setting.programs.ballast), what});
  };
  return {.name = "ballast",
          .parties = {Spawning("heavy", preload("BALLAST_MB=500"), AtGate(kWorkers)),
                      Spawning("plain", MakeDaemon(setting, {}), AtGate(kWorkers)),
                      Spawning("many", preload("BALLAST_FDS=5000"), AtGate(kWorkers))},
          .rows = {{"ballast-memory",
                    "Spawn of 1,000, daemon with 500 MB ballast",
                    "the same without",
                    "heavy.spawn_ns",
                    "plain.spawn_ns",
                    {Side::kAtMost, 1.10}},
                   {"ballast-fds",
                    "Spawn of 1,000, daemon with 5,000 descriptors",
                    "the same without",
                    "many.spawn_ns",
                    "plain.spawn_ns",
                    {Side::kAtMost, 1.10}}}};
}

// One stream of 8,192 samples and its histogram.
constexpr uint64_t kStoreBytes = (8192 + 2368) * 8 + 64;

Experiment Store(const Setting& setting) {
  const Daemon daemon = MakeDaemon(setting, {kOneSpawner});
  v1::WorkloadSpec with = Blockers(kWorkers);
  with.set_max_samples(8192);
  const Party spawn_and_populate = {
      "none", [=]() -> absl::StatusOr<Values> {
        ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
        ASSIGN_OR_RETURN(Values values, SpawnAndDrop(bench->client(), Blockers(kWorkers), "none."));
        ASSIGN_OR_RETURN(const Values full,
                         RunBare(setting.programs, {"populate", absl::StrCat(kStoreBytes), "1000"}, ""));
        ASSIGN_OR_RETURN(const Values empty, RunBare(setting.programs, {"populate", "1", "1000"}, ""));
        // A page each is what any process of the kind has.
        const double populate_ns = full.at("populated_spawn_ns") - empty.at("populated_spawn_ns");
        values["none.spawn_and_populate_ns"] = values.at("none.spawn_ns") + populate_ns;
        return values;
      }};
  return {.name = "store",
          .parties = {Spawning("store", daemon, with), spawn_and_populate},
          .rows = {{"spawn-store",
                    "Spawn of 1,000 with a sample store of 8,192",
                    "the same with none, plus populating as much",
                    "store.spawn_ns",
                    "none.spawn_and_populate_ns",
                    {Side::kAtMost, 1.2}}}};
}

}  // namespace

std::vector<Experiment> SpawnExperiments(const Setting& setting) {
  return {Clone(setting), InCgroup(setting), Ballast(setting), Store(setting)};
}

}  // namespace muster::bench
