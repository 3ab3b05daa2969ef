// Ends of many workers at once, in order and by accident.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/errno_status.h"
#include "base/pidfd.h"
#include "base/spawn_process.h"
#include "base/status_macros.h"
#include "tests/bench/experiments.h"
#include "tests/bench/lazy_bench.h"
#include "tests/bench/workloads.h"

namespace muster::bench {
namespace {

using Side = Goal::Side;

constexpr uint32_t kWorkers = 1000;
constexpr absl::Duration kAllDead = absl::Seconds(20);

absl::StatusOr<std::vector<Pidfd>> OpenAll(const std::vector<pid_t>& pids) {
  std::vector<Pidfd> fds;
  for (const pid_t pid : pids) {
    ASSIGN_OR_RETURN(Pidfd fd, Pidfd::Open(pid));
    fds.push_back(std::move(fd));
  }
  return fds;
}

// Kills `killer` and tells how long it takes until none of the others lives.
absl::StatusOr<double> TimeDeaths(pid_t killer, const std::vector<pid_t>& pids) {
  ASSIGN_OR_RETURN(const std::vector<Pidfd> fds, OpenAll(pids));
  const Deadline deadline = Deadline::After(kAllDead);
  const uint64_t began_ns = MonotonicNs();
  if (kill(killer, SIGKILL) != 0) return ErrnoStatus(errno, "kill");
  for (const Pidfd& fd : fds) RETURN_IF_ERROR(fd.WaitEnd(deadline));
  const uint64_t ended_ns = MonotonicNs();
  // Orphans are ours to reap (Main); had init reaped them, the CPU time that they used would count as that of others.
  for (const Pidfd& fd : fds) (void)fd.Reap(deadline);
  return static_cast<double>(ended_ns - began_ns);
}

// The client goes without a daemon afterwards; so does its end.
absl::StatusOr<Values> KillDaemon(const Programs& programs) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Bench> bench, Bench::Open(programs));
  ASSIGN_OR_RETURN(WorkloadHandle handle, bench->client().Spawn(Blockers(kWorkers)));
  absl::StatusOr<double> took_ns = TimeDeaths(bench->daemon().pid(), handle.WorkerPids());
  (void)std::move(handle).Release();
  bench->ReapKilledDaemon();
  RETURN_IF_ERROR(took_ns.status());
  return Values{{"ours.dead_ns", *took_ns}};
}

// Reads "pid N" lines up to "ready".
absl::StatusOr<std::vector<pid_t>> ReadPids(int fd) {
  std::string text;
  char bytes[4096];
  while (text.find("ready\n") == std::string::npos) {
    const ssize_t got = read(fd, bytes, sizeof(bytes));
    if (got <= 0) return absl::InternalError("bare die said nothing");
    text.append(bytes, static_cast<size_t>(got));
  }
  std::vector<pid_t> pids;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    pid_t pid = 0;
    if (line.substr(0, 4) == "pid " && absl::SimpleAtoi(line.substr(4), &pid)) pids.push_back(pid);
  }
  return pids;
}

absl::StatusOr<Values> KillBare(const Programs& programs) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2");
  const UniqueFd in_read(in[0]), in_write(in[1]);
  if (pipe2(out, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2");
  UniqueFd out_read(out[0]), out_write(out[1]);
  SpawnOptions options;
  options.program = programs.bare;
  options.arguments = {"bare", "die", absl::StrCat(kWorkers)};
  options.descriptors = {{STDIN_FILENO, in_read.get()}, {STDOUT_FILENO, out_write.get()}};
  ASSIGN_OR_RETURN(const SpawnedProcess process, SpawnProcess(options));
  out_write.Reset();
  const absl::StatusOr<std::vector<pid_t>> pids = ReadPids(out_read.get());
  absl::StatusOr<double> took_ns = pids.ok() ? TimeDeaths(process.pid, *pids) : absl::StatusOr<double>(pids.status());
  (void)process.pidfd.Signal(SIGKILL);
  RETURN_IF_ERROR(process.pidfd.Reap(Deadline::After(kAllDead)).status());
  RETURN_IF_ERROR(took_ns.status());
  return Values{{"bare.dead_ns", *took_ns}};
}

}  // namespace

std::vector<Experiment> EndExperiments(const Setting& setting) {
  const Programs programs = setting.programs;
  return {{.name = "killed",
           .parties = {{"daemon", [=] { return KillDaemon(programs); }}, {"bare", [=] { return KillBare(programs); }}},
           .rows = {{"daemon-killed",
                     "daemon SIGKILLed until no worker of 1,000 is alive",
                     "bare PDEATHSIG",
                     "ours.dead_ns",
                     "bare.dead_ns",
                     {Side::kAtMost, 1.5}}}}};
}

}  // namespace muster::bench
