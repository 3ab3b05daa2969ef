#include "tools/cli/run_command.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/make_thread.h"
#include "base/mutex.h"
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
// What a pipe that poll(2) calls writable takes without blocking.
constexpr size_t kPieceBytes = PIPE_BUF;

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

// Writes as many whole lines as there is room for: a view that nobody reads must not hold up the run.
void WriteWhatFits(int fd, absl::string_view text) {
  while (!text.empty()) {
    const size_t line_end = text.substr(0, kPieceBytes).rfind('\n');
    const absl::string_view piece = text.substr(0, line_end == absl::string_view::npos ? kPieceBytes : line_end + 1);
    pollfd room = {fd, POLLOUT, 0};
    if (poll(&room, 1, 0) != 1 || !WriteAll(fd, piece).ok()) return;
    text.remove_prefix(piece.size());
  }
}

// For the user, who may not read it either.
void Say(absl::string_view words) { WriteWhatFits(STDERR_FILENO, absl::StrCat("muster: ", words, "\n")); }

// Shows what the pool does, on a thread of its own, until it is destroyed or the pool ends.
class LiveThread {
 public:
  LiveThread(LiveView view, std::unique_ptr<Watcher> watcher, int output, StopSignals& signals)
      : view_(std::move(view)), watcher_(std::move(watcher)), output_(output), signals_(signals) {}
  ~LiveThread() {
    watcher_->Cancel();
    if (thread_.joinable()) thread_.join();
  }
  LiveThread(const LiveThread&) = delete;
  LiveThread& operator=(const LiveThread&) = delete;

  // Called once, first.
  absl::Status Start() {
    ASSIGN_OR_RETURN(thread_, MakeThread("the live view", [this] { Run(); }));
    return absl::OkStatus();
  }

 private:
  void Run() {
    while (true) {
      const absl::StatusOr<std::optional<v1::WatchUpdate>> update = watcher_->Next();
      if (absl::IsCancelled(update.status())) return;
      if (!update.ok()) {
        Say(absl::StrCat("the live view has ended: ", update.status().message()));
        // With the daemon or the pool gone there is nothing to wait for either; for a view alone the run goes on.
        if (absl::IsUnavailable(update.status()) || absl::IsNotFound(update.status())) signals_.Interrupt();
        return;
      }
      // Every worker has ended: there is nothing to wait for.
      if (!update->has_value()) return signals_.Interrupt();
      WriteWhatFits(output_, view_.Render(**update));
    }
  }

  LiveView view_;
  const std::unique_ptr<Watcher> watcher_;
  // A descriptor.
  const int output_;
  StopSignals& signals_;
  std::thread thread_;
};

// One run against one daemon.
class Run {
 public:
  Run(const RunPlan& plan, Results* results, StopSignals* signals, std::function<void()> on_sudden_end)
      : plan_(plan), results_(*results), signals_(*signals), on_sudden_end_(std::move(on_sudden_end)) {}

  // Called once, first. A signal that comes before there is a workload ends the process: what is under way may take
  // minutes, and nothing of it is worth waiting for. A pool that was just made ends with its lease, a private daemon
  // with this process.
  absl::Status TakeEarlySignals() {
    ASSIGN_OR_RETURN(early_signals_, SignalGuard::Start(
                                         signals_, [this] { End("interrupted before the workload ran"); },
                                         [this] { stop_requested_ = true; }));
    return absl::OkStatus();
  }

  absl::StatusOr<ExitCode> Execute(const Target& target) {
    ASSIGN_OR_RETURN(Client client, Client::Connect(target.address, {.connection = target.connection}));
    ASSIGN_OR_RETURN(const v1::GetServerInfoResponse info, client.ServerInfo());
    ASSIGN_OR_RETURN(WorkloadHandle handle, client.Spawn(plan_.spec));
    early_signals_.reset();
    RETURN_IF_ERROR(results_.Begin({handle.resolved_spec(), handle.pool_id(), info.workload_root()}));
    ASSIGN_OR_RETURN(const v1::StartResponse started, WorkloadHandle::StartAll({&handle}));
    Observe(handle, started);
    return Collect(std::move(handle));
  }

 private:
  // On a guard's thread.
  void End(absl::string_view why) {
    Say(why);
    on_sudden_end_();
    // Not exit: the main thread is in the middle of its work.
    _exit(kExitInterrupted);
  }

  // Lets the workload run: for its time, until a signal, or until no worker is left.
  void Observe(const WorkloadHandle& handle, const v1::StartResponse& started) {
    const absl::Duration duration = DurationOf(handle.resolved_spec());
    const Deadline end = Deadline::After(duration);
    const int output = results_.json() ? STDERR_FILENO : STDOUT_FILENO;
    LiveView view = LiveView::ForPool(handle.resolved_spec(), handle.workers(),
                                      isatty(output) != 0 ? LiveView::Style::kOverwrite : LiveView::Style::kPlain);
    if (!started.pools().empty()) view.SetStart(started.pools(0).released_at_ns());
    const absl::Duration period = std::clamp(duration / 2, kMinPeriod, absl::Seconds(1));
    LiveThread live(std::move(view), handle.OpenWatch(period, {.timeout = absl::InfiniteDuration()}), output, signals_);
    const absl::Status shown = live.Start();
    if (!shown.ok()) Say(absl::StrCat("the run is not shown, and takes its whole time: ", shown.message()));
    const StopSignals::Wake wake = stop_requested_ ? StopSignals::Wake::kRequest : signals_.WaitUntil(end);
    if (wake == StopSignals::Wake::kSignal || wake == StopSignals::Wake::kRequest) NoteSignal(nullptr);
  }

  absl::Duration DurationOf(const v1::WorkloadSpec& resolved_spec) const {
    if (plan_.duration.has_value()) return *plan_.duration;
    return resolved_spec.has_duration() ? FromProto(resolved_spec.duration()) : kDefaultDuration;
  }

  absl::StatusOr<ExitCode> Collect(WorkloadHandle handle) {
    const RemotePool pool = handle.remote();
    const auto guard = SignalGuard::Start(signals_, [&] { NoteSignal(&pool); });
    // The workload is worth more than an end in time.
    if (!guard.ok()) Say(absl::StrCat("no signal ends what comes now: ", guard.status().message()));
    const absl::StatusOr<v1::PoolSummary> summary = std::move(handle).StopAndCollect(
        [this](v1::WorkerReport&& report) { results_.Add(report); }, {.without_samples = plan_.without_samples});
    if (EndCollection() > 1) {
      Say(absl::StrCat("dropped: ", summary.ok() ? "interrupted again" : summary.status().message()));
      return kExitCannotTell;
    }
    RETURN_IF_ERROR(summary.status());
    return results_.Finish(*summary);
  }

  // How many signals came before.
  int EndCollection() {
    MutexLock lock(&mutex_);
    collected_ = true;
    return signals_seen_;
  }

  // The first signal stops, the second drops. When the reports are here there is nothing of either to do: what is left
  // is to print them, and whoever should read them may not.
  void NoteSignal(const RemotePool* pool) {
    bool is_first = false;
    bool collected = false;
    {
      MutexLock lock(&mutex_);
      is_first = ++signals_seen_ == 1;
      collected = collected_;
    }
    if (collected) return End("interrupted while the results were printed");
    if (is_first) {
      Say("stopping and collecting; once more to drop everything");
    } else if (pool != nullptr) {
      const absl::StatusOr<bool> dropped = pool->Drop({.timeout = absl::Seconds(10)});
      if (!dropped.ok()) Say(dropped.status().message());
    }
  }

  const RunPlan& plan_;
  Results& results_;
  StopSignals& signals_;
  const std::function<void()> on_sudden_end_;
  Mutex mutex_;
  int signals_seen_ ABSL_GUARDED_BY(mutex_) = 0;
  // The reports are here, or will never be.
  bool collected_ ABSL_GUARDED_BY(mutex_) = false;
  // Before the workload runs.
  bool stop_requested_ = false;
  std::unique_ptr<SignalGuard> early_signals_;
};

absl::StatusOr<RunPlan> PlanOf(const Flags& flags) {
  RunPlan plan;
  plan.without_samples = flags.Has("without-samples");
  if (flags.Has("duration")) {
    ASSIGN_OR_RETURN(plan.duration, ParseDuration(flags.Get("duration")));
  }
  return plan;
}

int RunMain(const Flags& flags) {
  absl::StatusOr<v1::WorkloadSpec> spec = ReadSpecFile(flags.positional()[0]);
  if (!spec.ok()) return Fail(spec.status(), SpecExitCode(spec.status()));
  return RunWorkload(flags, *std::move(spec), {});
}

}  // namespace

int RunWorkload(const Flags& flags, v1::WorkloadSpec spec, RunHooks hooks) {
  const absl::StatusOr<Target> target = TargetOf(flags);
  if (!target.ok()) return Fail(target.status(), kExitUsage);
  absl::StatusOr<RunPlan> plan = PlanOf(flags);
  if (!plan.ok()) return Fail(plan.status(), kExitUsage);
  plan->spec = std::move(spec);
  absl::StatusOr<Results> results = Results::Open(flags, std::move(hooks.more));
  if (!results.ok()) return Fail(results.status());
  // Before the first thread is made.
  absl::StatusOr<StopSignals> signals = StopSignals::Take();
  if (!signals.ok()) return Fail(signals.status());
  Run run(*plan, &*results, &*signals, std::move(hooks.on_sudden_end));
  const absl::Status taken = run.TakeEarlySignals();
  if (!taken.ok()) return Fail(taken);
  absl::StatusOr<Daemon> daemon = Daemon::Open(*target, flags);
  if (!daemon.ok()) return Fail(daemon.status(), DaemonExitCode(daemon.status()));
  const absl::StatusOr<ExitCode> code = run.Execute(daemon->target());
  return daemon->Close(code.ok() ? *code : Fail(code.status()));
}

Command RunCommand() {
  std::vector<FlagSpec> flags = TargetOrPrivateFlags();
  flags.push_back({"duration", "TIME", "how long it runs, as 2s or 500ms; in place of the spec's (default 1s)"});
  for (const FlagSpec& flag : Results::OutputFlags()) flags.push_back(flag);
  return {"run", {"SPEC"}, "run a workload from a text proto (- for the standard input) and judge it", flags, RunMain};
}

}  // namespace muster
