// Work types against loops of the same shape without telemetry, and against those who measure such things.
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "tests/bench/experiments.h"
#include "tests/bench/lazy_bench.h"
#include "tests/bench/workloads.h"

namespace muster::bench {
namespace {

using Side = Goal::Side;
using Daemon = std::shared_ptr<LazyBench>;

// Where the scheduler puts a pair changes a ping-pong twofold, and is nobody's merit: all run on one CPU. A pair on two
// CPUs is no measure: whether the partner's CPU is idle already when it is woken, which costs an interrupt then,
// changes the bare loop by a third from run to run.
constexpr char kOneCpu[] = "affinity { exact { cpus: \"0\" } }";
constexpr char kCpu[] = "0";

// Iterations of all workers per second, and per second of CPU time.
absl::StatusOr<Values> Rates(const Daemon& daemon, const TimedRun& run, const std::string& prefix) {
  ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
  ASSIGN_OR_RETURN(const CollectedReports collected, RunFor(bench->client(), run));
  double rate = 0, iterations = 0, units = 0, cpu_ns = 0;
  for (const v1::WorkerReport& report : collected.reports) {
    if (!report.completed()) return absl::InternalError(absl::StrCat("a sentinel: ", report.ShortDebugString()));
    RETURN_IF_ERROR(CheckAmongWorkers(*bench, report.cgroup_at_start()));
    rate += report.iterations() * 1e9 / report.wall_time_ns();
    iterations += report.iterations();
    units += report.work_units();
    cpu_ns += report.cpu_time_ns();
  }
  return Values{{prefix + "per_s", rate},
                {prefix + "per_cpu_s", iterations * 1e9 / cpu_ns},
                {prefix + "units_per_cpu_s", units * 1e9 / cpu_ns}};
}

absl::StatusOr<Values> BareLoop(const Setting& setting, const Daemon& daemon,
                                const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
  return RunBareAmongWorkers(setting.programs, *bench, arguments);
}

struct Shape {
  std::string id;
  std::string name;
  std::string work;  // text of our spec
  std::string loop;  // name of the bare one
  uint32_t workers;
  std::string unit = "per_cpu_s";
  double goal = 0.97;
};

uint64_t RunMs(const Setting& setting) { return setting.quick ? 300 : 1000; }

Experiment Compare(const Setting& setting, const Daemon& daemon, const Shape& shape) {
  const uint64_t run_ms = RunMs(setting);
  const TimedRun run = {Workers(shape.workers, shape.work, kOneCpu), run_ms};
  const std::vector<std::string> bare = {"loop", shape.loop, absl::StrCat(run_ms), "together"};
  const std::string what = shape.unit == "per_s" ? "iterations/s" : "iterations per CPU second";
  return {.name = shape.id,
          .parties = {{"ours", [=] { return Rates(daemon, run, "ours."); }},
                      {"bare", [=] { return BareLoop(setting, daemon, bare); }}},
          .rows = {{shape.id,
                    absl::StrCat(shape.name, ", ", what),
                    "bare loop of the same shape",
                    absl::StrCat("ours.", shape.unit),
                    absl::StrCat("bare.", shape.unit),
                    {Side::kAtLeast, shape.goal}}}};
}

// Per unit, so the other way round.
Experiment Spin(const Setting& setting, const Daemon& daemon) {
  Experiment spin =
      Compare(setting, daemon, {.id = "spin", .name = "", .work = "spin_wait {}", .loop = "spin", .workers = 1});
  spin.rows = {{"spin",
                "spin loop with full telemetry, CPU time per unit",
                "bare loop",
                "bare.per_cpu_s",
                "ours.units_per_cpu_s",
                {Side::kAtMost, 1.02}}};
  return spin;
}

// The number before `word` in a text, or behind it.
absl::StatusOr<double> NumberBefore(absl::string_view text, absl::string_view word) {
  const size_t at = text.find(word);
  if (at == absl::string_view::npos) return absl::NotFoundError(absl::StrCat("no \"", word, "\" in: ", text));
  const std::vector<absl::string_view> parts =
      absl::StrSplit(text.substr(0, at), absl::ByAnyChar(" \n\t"), absl::SkipEmpty());
  double number = 0;
  if (parts.empty() || !absl::SimpleAtod(parts.back(), &number))
    return absl::NotFoundError(absl::StrCat("no number: ", text));
  return number;
}

absl::StatusOr<Values> PerfPipe(uint64_t run_ms) {
  const std::string loops = absl::StrCat(run_ms * 100);
  ASSIGN_OR_RETURN(const ProgramOutput output,
                   RunProgram({"taskset", "-c", kCpu, "perf", "bench", "sched", "pipe", "-l", loops}));
  ASSIGN_OR_RETURN(const double per_s, NumberBefore(output.text, "ops/sec"));
  // One operation is there and back: an iteration of each side.
  return Values{{"perf.per_s", 2 * per_s}};
}

Experiment Pipe(const Setting& setting, const Daemon& daemon) {
  Experiment pipe =
      Compare(setting, daemon,
              {.id = "pipe", .name = "PipeIo", .work = "pipe_io { burst_iters: 1 }", .loop = "pipe", .workers = 2});
  const uint64_t run_ms = RunMs(setting);
  pipe.parties.push_back({"perf bench", [run_ms] { return PerfPipe(run_ms); }});
  pipe.rows.push_back({"pipe-perf",
                       "PipeIo, iterations/s on one CPU",
                       "perf bench sched pipe on one CPU",
                       "ours.per_s",
                       "perf.per_s",
                       {Side::kAtLeast, 0.97}});
  return pipe;
}

absl::StatusOr<Values> StressFork(uint64_t run_ms) {
  const std::string operations = absl::StrCat(run_ms);
  ASSIGN_OR_RETURN(const ProgramOutput output, RunProgram({"taskset", "-c", kCpu, "stress-ng", "--fork", "1",
                                                           "--fork-ops", operations, "--metrics-brief"}));
  for (absl::string_view line : absl::StrSplit(output.text, '\n')) {
    // stress-ng: metrc: [1] fork OPERATIONS REAL USER SYSTEM PER_REAL_S …
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    for (size_t i = 0; i + 5 < fields.size(); ++i) {
      double per_s = 0;
      if (fields[i] == "fork" && absl::SimpleAtod(fields[i + 5], &per_s)) return Values{{"stress.per_s", per_s}};
    }
  }
  return absl::NotFoundError(absl::StrCat("no line of fork in: ", output.text));
}

Experiment Fork(const Setting& setting, const Daemon& daemon) {
  Experiment fork = Compare(
      setting, daemon,
      {.id = "fork", .name = "ForkExit", .work = "fork_exit {}", .loop = "fork", .workers = 1, .unit = "per_s"});
  const uint64_t run_ms = RunMs(setting);
  fork.parties.push_back({"stress-ng", [run_ms] { return StressFork(run_ms); }});
  fork.rows.push_back(
      {"fork-stress", "ForkExit, iterations/s", "stress-ng --fork", "ours.per_s", "stress.per_s", {Side::kAtLeast, 4}});
  return fork;
}

// ---- Timers ----

constexpr uint64_t kIntervalUs = 1000;

absl::StatusOr<Values> OurTimer(const Daemon& daemon, uint64_t run_ms) {
  ASSIGN_OR_RETURN(Bench* const bench, daemon->Get());
  const v1::WorkloadSpec spec = Workers(1, absl::StrCat("timer_latency { interval_us: ", kIntervalUs, " }"), kOneCpu);
  ASSIGN_OR_RETURN(WorkloadHandle handle, bench->client().Spawn(spec));
  RETURN_IF_ERROR(handle.Start());
  SleepMs(run_ms);
  ASSIGN_OR_RETURN(const CollectedReports collected, std::move(handle).StopAndCollect());
  const v1::WorkerReport& report = collected.reports.at(0);
  std::vector<uint64_t> samples(report.timer_latencies_ns().begin(), report.timer_latencies_ns().end());
  if (samples.empty()) return absl::InternalError("the worker took no sample");
  double sum = 0;
  for (const uint64_t sample : samples) sum += static_cast<double>(sample);
  std::sort(samples.begin(), samples.end());
  return Values{{"ours.average_ns", sum / static_cast<double>(samples.size())},
                {"ours.p99_ns", samples[samples.size() * 99 / 100]}};
}

absl::StatusOr<Values> Cyclictest(uint64_t run_ms) {
  ASSIGN_OR_RETURN(const ProgramOutput output,
                   RunProgram({"cyclictest", "--policy=other", "-t", "1", "-a", kCpu, "-i", absl::StrCat(kIntervalUs),
                               "-l", absl::StrCat(run_ms * 1000 / kIntervalUs), "-q"}));
  const size_t average = output.text.find("Avg:");
  if (average == std::string::npos) return absl::NotFoundError(absl::StrCat("no average in: ", output.text));
  ASSIGN_OR_RETURN(const double us, NumberBefore(output.text.substr(average + 4), "Max:"));
  return Values{{"cyclictest.average_ns", us * 1000}};
}

Experiment Timers(const Setting& setting, const Daemon& daemon) {
  const uint64_t run_ms = setting.quick ? 1000 : 3000;
  const std::vector<std::string> bare = {"timer", absl::StrCat(kIntervalUs), absl::StrCat(run_ms), kCpu};
  return {.name = "timer",
          .parties = {{"ours", [=] { return OurTimer(daemon, run_ms); }},
                      {"bare", [=] { return RunBare(setting.programs, bare); }},
                      {"cyclictest", [=] { return Cyclictest(run_ms); }}},
          .rows = {{"timer-average",
                    "TimerLatency, average at 1 ms",
                    "bare clock_nanosleep loop",
                    "ours.average_ns",
                    "bare.average_ns",
                    {Side::kAtMost, 1.1}},
                   {"timer-p99",
                    "TimerLatency, p99 at 1 ms",
                    "bare clock_nanosleep loop",
                    "ours.p99_ns",
                    "bare.p99_ns",
                    {Side::kAtMost, 1.1}},
                   {"timer-cyclictest",
                    "TimerLatency, average at 1 ms, SCHED_OTHER",
                    "cyclictest, same policy",
                    "ours.average_ns",
                    "cyclictest.average_ns",
                    {Side::kAtMost, 1.3}}}};
}

}  // namespace

std::vector<Experiment> WorkExperiments(const Setting& setting) {
  const auto daemon = std::make_shared<LazyBench>(setting.programs);
  const auto compare = [&](const Shape& shape) { return Compare(setting, daemon, shape); };
  return {
      Spin(setting, daemon),
      Pipe(setting, daemon),
      compare({.id = "futex",
               .name = "FutexPingPong",
               .work = "futex_ping_pong { spin_iters: 1 }",
               .loop = "futex",
               .workers = 2}),
      compare({.id = "fan-out",
               .name = "FutexFanOut",
               .work = "futex_fan_out { spin_iters: 1 }",
               .loop = "fan-out",
               .workers = 5}),
      compare({.id = "fault", .name = "PageFaultChurn", .work = "page_fault_churn {}", .loop = "fault", .workers = 1}),
      compare({.id = "yield", .name = "YieldHeavy", .work = "yield_heavy {}", .loop = "yield", .workers = 1}),
      Fork(setting, daemon),
      compare({.id = "mutex",
               .name = "MutexContention",
               .work = "mutex_contention { hold_iters: 16 work_iters: 48 }",
               .loop = "mutex",
               .workers = 4,
               .goal = 0.95}),
      Timers(setting, daemon)};
}

}  // namespace muster::bench
