#include "tools/cli/run_command.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/client.h"
#include "client/proto_time.h"
#include "tools/cli/live_view.h"
#include "tools/cli/results.h"
#include "tools/cli/spec_file.h"
#include "tools/cli/stop_signals.h"
#include "tools/cli/target.h"

namespace muster {
namespace {

constexpr absl::Duration kDefaultDuration = absl::Seconds(1);
constexpr absl::Duration kMinPeriod = absl::Milliseconds(100);

struct RunPlan {
  v1::WorkloadSpec spec;
  // Absent: the spec's.
  std::optional<absl::Duration> duration;
  bool without_samples = false;
};

absl::StatusOr<absl::Duration> ParseDuration(const std::string& text) {
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) && duration >= absl::ZeroDuration()) return duration;
  return absl::InvalidArgumentError(absl::StrCat("--duration ", text, ": write it as 2s, 500ms or 1m30s"));
}

// Shows what the pool does, on a thread of its own, until it is destroyed or the pool ends.
class LiveThread {
 public:
  LiveThread(LiveView view, std::unique_ptr<Watcher> watcher, std::ostream& output, StopSignals& signals)
      : view_(std::move(view)), watcher_(std::move(watcher)), output_(output), signals_(signals) {
    thread_ = std::thread([this] { Run(); });
  }
  ~LiveThread() {
    watcher_->Cancel();
    thread_.join();
  }
  LiveThread(const LiveThread&) = delete;
  LiveThread& operator=(const LiveThread&) = delete;

 private:
  void Run() {
    while (true) {
      const absl::StatusOr<std::optional<v1::WatchUpdate>> update = watcher_->Next();
      if (absl::IsCancelled(update.status())) return;
      if (!update.ok()) {
        std::cerr << "muster: the live view has ended: " << update.status().message() << "\n";
        // With the daemon or the pool gone there is nothing to wait for either; for a view alone the run goes on.
        if (absl::IsUnavailable(update.status()) || absl::IsNotFound(update.status())) signals_.Interrupt();
        return;
      }
      // Every worker has ended: there is nothing to wait for.
      if (!update->has_value()) return signals_.Interrupt();
      output_ << view_.Render(**update) << std::flush;
    }
  }

  LiveView view_;
  const std::unique_ptr<Watcher> watcher_;
  std::ostream& output_;
  StopSignals& signals_;
  std::thread thread_;
};

// One run against one daemon.
class Run {
 public:
  Run(const RunPlan& plan, Results* results, StopSignals* signals)
      : plan_(plan), results_(*results), signals_(*signals) {}

  absl::StatusOr<ExitCode> Execute(const Target& target) {
    ASSIGN_OR_RETURN(Client client, Client::Connect(target.address, {.connection = target.connection}));
    ASSIGN_OR_RETURN(const v1::GetServerInfoResponse info, client.ServerInfo());
    ASSIGN_OR_RETURN(WorkloadHandle handle, client.Spawn(plan_.spec));
    RETURN_IF_ERROR(results_.Begin({handle.resolved_spec(), handle.pool_id(), info.workload_root()}));
    ASSIGN_OR_RETURN(const v1::StartResponse started, WorkloadHandle::StartAll({&handle}));
    Observe(handle, started);
    return Collect(std::move(handle));
  }

 private:
  // Lets the workload run: for its time, until a signal, or until no worker is left.
  void Observe(const WorkloadHandle& handle, const v1::StartResponse& started) {
    const absl::Duration duration = DurationOf(handle.resolved_spec());
    const Deadline end = Deadline::After(duration);
    std::ostream& output = results_.json() ? std::cerr : std::cout;
    const bool terminal = isatty(results_.json() ? STDERR_FILENO : STDOUT_FILENO) != 0;
    LiveView view = LiveView::ForPool(handle.resolved_spec(), handle.workers(),
                                      terminal ? LiveView::Style::kOverwrite : LiveView::Style::kPlain);
    if (!started.pools().empty()) view.SetStart(started.pools(0).released_at_ns());
    const absl::Duration period = std::clamp(duration / 2, kMinPeriod, absl::Seconds(1));
    const LiveThread live(std::move(view), handle.OpenWatch(period, {.timeout = absl::InfiniteDuration()}), output,
                          signals_);
    const StopSignals::Wake wake = signals_.WaitUntil(end);
    if (wake == StopSignals::Wake::kSignal || wake == StopSignals::Wake::kRequest) NoteSignal(nullptr);
  }

  absl::Duration DurationOf(const v1::WorkloadSpec& resolved_spec) const {
    if (plan_.duration.has_value()) return *plan_.duration;
    return resolved_spec.has_duration() ? FromProto(resolved_spec.duration()) : kDefaultDuration;
  }

  absl::StatusOr<ExitCode> Collect(WorkloadHandle handle) {
    const RemotePool pool = handle.remote();
    absl::StatusOr<v1::PoolSummary> summary = absl::UnknownError("");
    {
      const SignalGuard guard(signals_, [&] { NoteSignal(&pool); });
      summary = std::move(handle).StopAndCollect([this](v1::WorkerReport&& report) { results_.Add(report); },
                                                 {.without_samples = plan_.without_samples});
    }
    if (signals_seen_ > 1 && !summary.ok()) {
      std::cerr << "muster: dropped: " << summary.status().message() << "\n";
      return kExitCannotTell;
    }
    RETURN_IF_ERROR(summary.status());
    return results_.Finish(*summary);
  }

  // The first signal stops, the second drops.
  void NoteSignal(const RemotePool* pool) {
    if (++signals_seen_ == 1) {
      std::cerr << "muster: stopping and collecting; once more to drop everything\n";
    } else if (pool != nullptr) {
      const absl::StatusOr<bool> dropped = pool->Drop({.timeout = absl::Seconds(10)});
      if (!dropped.ok()) std::cerr << "muster: " << dropped.status().message() << "\n";
    }
  }

  const RunPlan& plan_;
  Results& results_;
  StopSignals& signals_;
  // By this thread, and by the guard's while that lives.
  int signals_seen_ = 0;
};

absl::StatusOr<RunPlan> PlanOf(const Flags& flags) {
  RunPlan plan;
  plan.without_samples = flags.Has("without-samples");
  if (flags.Has("duration")) {
    ASSIGN_OR_RETURN(plan.duration, ParseDuration(flags.Get("duration")));
  }
  return plan;
}

int RunMain(const Flags& flags) { return RunWorkload(flags, nullptr); }

}  // namespace

int RunWorkload(const Flags& flags, MoreJson more) {
  const absl::StatusOr<Target> target = TargetOf(flags);
  if (!target.ok()) return Fail(target.status(), kExitUsage);
  absl::StatusOr<RunPlan> plan = PlanOf(flags);
  if (!plan.ok()) return Fail(plan.status(), kExitUsage);
  absl::StatusOr<v1::WorkloadSpec> spec = ReadSpecFile(flags.positional()[0]);
  if (!spec.ok()) {
    const bool told = absl::IsInvalidArgument(spec.status()) || absl::IsNotFound(spec.status());
    return told ? Fail(spec.status()) : Fail(spec.status(), kExitIo);
  }
  plan->spec = *std::move(spec);
  absl::StatusOr<Results> results = Results::Open(flags, std::move(more));
  if (!results.ok()) return Fail(results.status());
  // Before the first thread is made.
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  if (!signals.ok()) return Fail(signals.status());
  absl::StatusOr<Daemon> daemon = Daemon::Open(*target, flags);
  if (!daemon.ok()) return Fail(daemon.status(), kExitUnavailable);
  const absl::StatusOr<ExitCode> code = Run(*plan, &*results, &*signals).Execute(daemon->target());
  return daemon->Close(code.ok() ? *code : Fail(code.status()));
}

Command RunCommand() {
  std::vector<FlagSpec> flags = TargetOrPrivateFlags();
  flags.push_back({"duration", "TIME", "how long it runs, as 2s or 500ms; in place of the spec's (default 1s)"});
  for (const FlagSpec& flag : Results::OutputFlags()) flags.push_back(flag);
  return {"run", {"SPEC"}, "run a workload from a text proto (- for the standard input) and judge it", flags, RunMain};
}

}  // namespace muster
