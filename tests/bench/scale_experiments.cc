// Many workers: memory, quiet, 10,000 at once, and how cost grows.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "tests/bench/experiments.h"
#include "tests/bench/lazy_bench.h"
#include "tests/bench/workloads.h"

namespace muster::bench {
namespace {

using Side = Goal::Side;
using Daemon = std::shared_ptr<LazyBench>;

constexpr uint32_t kMany = 10'000;

// The number behind "NAME:" in a file of procfs, in KB there.
absl::StatusOr<double> ProcKb(const std::string& path, const std::string& name) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    double kb = 0;
    if (fields.size() >= 2 && fields[0] == absl::StrCat(name, ":") && absl::SimpleAtod(fields[1], &kb)) return kb;
  }
  return absl::NotFoundError(absl::StrCat("no ", name, " in ", path));
}

absl::StatusOr<Values> Memory(const Daemon& daemon) {
  ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
  ASSIGN_OR_RETURN(const double before_kb, ProcKb("/proc/meminfo", "MemAvailable"));
  ASSIGN_OR_RETURN(WorkloadHandle handle, bench->client().Spawn(AtGate(kMany)));
  ASSIGN_OR_RETURN(const double after_kb, ProcKb("/proc/meminfo", "MemAvailable"));
  std::vector<double> dirty_kb;
  const std::vector<pid_t> pids = handle.WorkerPids();
  for (size_t i = 0; i < pids.size(); i += 50) {
    ASSIGN_OR_RETURN(const double kb, ProcKb(absl::StrCat("/proc/", pids[i], "/smaps_rollup"), "Private_Dirty"));
    dirty_kb.push_back(kb);
  }
  RETURN_IF_ERROR(std::move(handle).Drop());
  return Values{{"memory.dirty_kb", QuartilesOf(dirty_kb).median}, {"memory.ram_kb", (before_kb - after_kb) / kMany}};
}

Experiment MemoryAtMany(const Setting& setting) {
  const auto daemon = std::make_shared<LazyBench>(setting.programs);
  return {.name = "memory",
          .parties = {{"memory", [=] { return Memory(daemon); }}},
          .rows = {{"memory-dirty",
                    "private dirty memory per blocked worker at 10,000",
                    "KB",
                    "memory.dirty_kb",
                    "",
                    {Side::kAtMost, 24}},
                   {"memory-ram", "RAM per blocked worker at 10,000", "KB", "memory.ram_kb", "", {Side::kAtMost, 80}}}};
}

Experiment KillMany(const Setting& setting) {
  const auto daemon = std::make_shared<LazyBench>(setting.programs);
  return {.name = "kill-many",
          .parties = {{"drop",
                       [=]() -> absl::StatusOr<Values> {
                         ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
                         return SpawnAndDrop(bench->client(), AtGate(kMany), "ours.");
                       }},
                      {"bare",
                       [=] {
                         return RunBare(setting.programs, {"spawn", absl::StrCat(kMany)});
                       }}},
          .rows = {{"kill-10000",
                    "kill and reap of 10,000 (Drop RPC)",
                    "kill all, then waitpid each",
                    "ours.drop_ns",
                    "bare.reap_ns",
                    {Side::kAtMost, 1.15}}}};
}

// ---- Quiet ----

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  const absl::StatusOr<std::string> text = ReadFile(absl::StrCat("/proc/", pid, "/task/", pid, "/children"));
  if (!text.ok()) return children;
  for (absl::string_view word : absl::StrSplit(*text, ' ', absl::SkipEmpty())) {
    pid_t child = 0;
    if (absl::SimpleAtoi(word, &child)) children.push_back(child);
  }
  return children;
}

// CPU time of all threads of the daemon and of its pool hosts.
absl::StatusOr<double> ControlSeconds(pid_t daemon) {
  double seconds = 0;
  std::vector<pid_t> processes = ChildrenOf(daemon);
  processes.push_back(daemon);
  for (const pid_t pid : processes) seconds += static_cast<double>(ProcessCpuNs(pid).value_or(0)) * 1e-9;
  return seconds;
}

absl::StatusOr<Values> Idle(const Programs& programs, uint64_t run_ms) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Bench> bench, Bench::Open(programs));
  ASSIGN_OR_RETURN(WorkloadHandle handle, bench->client().Spawn(Workers(1000, "spin_wait {}", "max_samples: 0")));
  RETURN_IF_ERROR(handle.Start());
  RETURN_IF_ERROR(AwaitAllRunning(handle));
  std::vector<std::unique_ptr<Watcher>> watchers;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    watchers.push_back(handle.OpenWatch(absl::Seconds(1), {.timeout = absl::Minutes(2)}));
    readers.emplace_back([watcher = watchers.back().get()] {
      while (watcher->Next().ok()) {
      }
    });
  }
  SleepMs(1000);
  ASSIGN_OR_RETURN(const double before_s, ControlSeconds(bench->daemon().pid()));
  const uint64_t began_ns = MonotonicNs();
  SleepMs(run_ms);
  ASSIGN_OR_RETURN(const double after_s, ControlSeconds(bench->daemon().pid()));
  const double wall_s = static_cast<double>(MonotonicNs() - began_ns) * 1e-9;
  for (const auto& watcher : watchers) watcher->Cancel();
  for (std::thread& reader : readers) reader.join();
  RETURN_IF_ERROR(std::move(handle).Drop());
  return Values{{"idle.percent", (after_s - before_s) / wall_s * 100}};
}

Experiment Quiet(const Setting& setting) {
  const Programs programs = setting.programs;
  const uint64_t run_ms = setting.quick ? 2000 : 5000;
  return {.name = "control",
          .parties = {{"control", [=] { return Idle(programs, run_ms); }}},
          .rows = {{"control",
                    "daemon and pool host while 1,000 spin and 4 watch at 1 Hz",
                    "% of one CPU",
                    "idle.percent",
                    "",
                    {Side::kAtMost, 1}}}};
}

// ---- 10,000 at work ----

absl::StatusOr<Values> WorkOfMany(const Daemon& daemon, uint64_t run_ms) {
  ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
  const v1::WorkloadSpec spec = Workers(kMany, "spin_wait {}", "max_samples: 0 cgroups { name: \"many\" }");
  ASSIGN_OR_RETURN(WorkloadHandle handle, bench->client().Spawn(spec));
  RETURN_IF_ERROR(handle.Place("many"));
  std::vector<std::unique_ptr<Watcher>> watchers;
  std::vector<std::thread> readers;
  std::atomic<uint64_t> updates{0};
  for (int i = 0; i < 16; ++i) {
    watchers.push_back(handle.OpenWatch(absl::Milliseconds(100), {.timeout = absl::Minutes(3)}));
    readers.emplace_back([&updates, watcher = watchers.back().get()] {
      while (true) {
        const auto update = watcher->Next();
        if (!update.ok() || !update->has_value()) return;
        updates.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  absl::Status status = handle.Start();
  SleepMs(run_ms);
  uint64_t reports = 0, complete = 0;
  const auto on_report = [&](v1::WorkerReport&& report) {
    ++reports;
    complete += report.completed();
  };
  if (status.ok()) status = std::move(handle).StopAndCollect(on_report).status();
  for (const auto& watcher : watchers) watcher->Cancel();
  for (std::thread& reader : readers) reader.join();
  RETURN_IF_ERROR(status);
  return Values{
      {"many.complete", complete}, {"many.reports", reports}, {"many.updates_per_s", updates.load() * 1e3 / run_ms}};
}

Experiment Many(const Setting& setting) {
  const auto daemon = std::make_shared<LazyBench>(setting.programs);
  const uint64_t run_ms = setting.quick ? 2000 : 10'000;
  return {.name = "many",
          .parties = {{"many", [=] { return WorkOfMany(daemon, run_ms); }}},
          .rows = {{"many",
                    "10,000 workers placed, run with 16 watchers at 10 Hz: complete reports",
                    "of 10,000",
                    "many.complete",
                    "",
                    {Side::kAtLeast, kMany}}}};
}

// ---- Growth ----

// Until all of them block: what a worker records behind its first instruction takes it some 20 us, and a stop that
// comes before is late by as much for each that has not done so.
uint64_t RestMs(uint32_t workers) { return 50 + workers / 10; }

Experiment Growth(const Setting& setting) {
  const auto daemon = std::make_shared<LazyBench>(setting.programs);
  Experiment growth = {.name = "growth"};
  for (const uint32_t workers : {1u, 10u, 100u, 1000u, 10'000u}) {
    const std::string prefix = absl::StrCat("n", workers, ".");
    growth.parties.push_back({prefix, [=]() -> absl::StatusOr<Values> {
                                ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
                                ASSIGN_OR_RETURN(Values values, Live(bench->client(), {.spec = Blockers(workers),
                                                                                       .run_ms = RestMs(workers),
                                                                                       .prefix = prefix}));
                                for (auto& [name, value] : values) value /= workers;
                                return values;
                              }});
  }
  for (const char* step : {"spawn", "last_start", "snapshot", "stop", "collect"}) {
    growth.rows.push_back({absl::StrCat("growth-", step),
                           absl::StrCat(step, " per worker at 10,000"),
                           "the same at 100",
                           absl::StrCat("n10000.", step, "_ns"),
                           absl::StrCat("n100.", step, "_ns"),
                           {Side::kAtMost, 1.5}});
  }
  return growth;
}

}  // namespace

std::vector<Experiment> ScaleExperiments(const Setting& setting) {
  return {MemoryAtMany(setting), KillMany(setting), Quiet(setting), Many(setting), Growth(setting)};
}

}  // namespace muster::bench
