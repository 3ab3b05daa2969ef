#include "tools/vm/run/run_command.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/results.h"
#include "tools/cli/run_command.h"
#include "tools/cli/spec_file.h"
#include "tools/cli/stop_signals.h"
#include "tools/vm/run/guest_watch.h"
#include "tools/vm/run/interrupt_watch.h"
#include "tools/vm/run/kept_guests.h"
#include "tools/vm/run/prepare.h"
#include "tools/vm/run/scheduler_span.h"
#include "tools/vm/run/scheduler_watch.h"
#include "tools/vm/scheduler/scheduler_files.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {
namespace {

constexpr absl::Duration kPowerOffLimit = absl::Seconds(10);

void Say(const std::string& line) { std::cerr << "muster vm: " << line << "\n"; }

int Fail(const absl::Status& status, int code) {
  Say(std::string(status.message()));
  return status.code() == absl::StatusCode::kInvalidArgument ? kExitUsage : code;
}

int Fail(const GuestFailure& failure) {
  Say(failure.message);
  return failure.code;
}

// Of a scheduler's span.
struct SpanEnd {
  std::optional<GuestFailure> failure;
};

// All that one run needs; the guest is watched over from its first moment.
struct Run {
  absl::Duration boot_timeout;
  // Absent: nothing is to be run.
  std::optional<v1::WorkloadSpec> spec;
  // Flags of `muster run`.
  std::vector<std::string> workload_flags;
  bool keep = false;
  bool scheduler = false;
  // What was active at the start of the run, and how that ended once somebody has asked.
  std::optional<SchedulerSpan> span;
  std::optional<SpanEnd> span_end;
  // --json: the standard output is for JSON only.
  bool json = false;
  // --out; empty: none.
  std::string out;
  GuestOptions guest_options;
  std::unique_ptr<Guest> guest;
  // The guest is being ended on purpose.
  std::atomic<bool> interrupted = false;
  // Goes before the guest: its clean-up speaks of it.
  std::unique_ptr<InterruptWatch> interrupts;
};

std::vector<FlagSpec> WorkloadFlags() {
  std::vector<FlagSpec> specs = {{"duration", "TIME", "how long it runs; in place of the spec's"}};
  for (const FlagSpec& spec : Results::OutputFlags()) specs.push_back(spec);
  return specs;
}

absl::Status ReadFlags(const Flags& flags, Run* run) {
  ASSIGN_OR_RETURN(const int64_t seconds, flags.GetInt("boot-timeout", 90, {1, 3600}));
  run->boot_timeout = absl::Seconds(seconds);
  run->keep = flags.Has("keep");
  run->scheduler = flags.Has("scheduler");
  run->json = flags.Has("json");
  run->out = flags.Get("out");
  if (flags.positional().size() > 1) return absl::InvalidArgumentError("muster vm run takes one spec");
  if (flags.positional().empty()) return absl::OkStatus();
  for (const FlagSpec& spec : WorkloadFlags()) {
    if (flags.Has(spec.name))
      run->workload_flags.push_back(
          absl::StrCat("--", spec.name, spec.value_name.empty() ? "" : "=", flags.Get(spec.name)));
  }
  return absl::OkStatus();
}

// Before the guest boots: so a wrong one shows soon, and a pipe is read once.
absl::Status ReadSpec(const Flags& flags, Run* run) {
  if (flags.positional().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(run->spec, ReadSpecFile(flags.positional()[0]));
  return absl::OkStatus();
}

void EndGuest(Guest* guest) {
  guest->Kill();
  std::error_code error;
  std::filesystem::remove_all(guest->directory(), error);
}

absl::Status Launch(Run* run) {
  absl::Status launched;
  run->interrupts->Exchange([&]() -> std::function<void()> {
    absl::StatusOr<std::unique_ptr<Guest>> guest = Guest::Launch(run->guest_options);
    launched = guest.status();
    if (!guest.ok()) return nullptr;
    run->guest = *std::move(guest);
    return [guest = run->guest.get()] { EndGuest(guest); };
  });
  return launched;
}

void SayTimes(const BootTimes& times) {
  Say(absl::StrFormat(
      "serving after %.2f s: QEMU and firmware %.2f, kernel %.2f, init %.2f, musterd %.2f; CPU time %.2f s",
      absl::ToDoubleSeconds(times.qemu + times.kernel + times.init + times.daemon), absl::ToDoubleSeconds(times.qemu),
      absl::ToDoubleSeconds(times.kernel), absl::ToDoubleSeconds(times.init), absl::ToDoubleSeconds(times.daemon),
      absl::ToDoubleSeconds(times.cpu)));
}

std::optional<GuestFailure> Boot(Run* run) {
  const Deadline deadline = Deadline::After(run->boot_timeout);
  std::optional<GuestFailure> failure = run->guest->WaitForInit(deadline);
  if (!failure.has_value()) failure = run->guest->WaitForDaemon(deadline);
  if (!failure.has_value()) SayTimes(run->guest->boot_times());
  return failure;
}

// A guest that dies meanwhile is the reason for whatever the client sees, and the client may look for it for minutes:
// then the process ends here, with the guest's own reason.
void EndWithGuest(Run* run) {
  if (run->interrupted) return;
  Guest* const guest = run->guest.get();
  const std::optional<GuestFailure> failure = guest->FindFailure();
  const int code = failure.has_value() ? Fail(*failure) : kExitGuestLost;
  EndGuest(guest);
  std::cout << std::flush;
  _exit(code);
}

// The user wants it all to end, and there is no workload yet.
void Interrupt(Run* run) {
  run->interrupted = true;
  EndGuest(run->guest.get());
}

// Ends the workload, as the first signal of the user's does, when the scheduler is gone: what comes after that is no
// result.
// Null without a scheduler.
std::unique_ptr<SchedulerWatch> WatchScheduler(const Run& run) {
  if (!run.span.has_value()) return nullptr;
  return std::make_unique<SchedulerWatch>(run.guest->directory() + "/console.log", run.span->start(), [] {
    Say("the scheduler is gone: this ends the run");
    const absl::Status requested = RequestStop();
    if (!requested.ok()) Say(std::string(requested.message()));
  });
}

// Looks at the scheduler once more, the first time that it is called.
const std::optional<GuestFailure>& EndSpan(Run* run) {
  if (!run->span_end.has_value()) run->span_end.emplace(SpanEnd{run->span->End(run->guest.get())});
  return run->span_end->failure;
}

// For --json; null without a scheduler.
MoreJson SchedulerJson(Run* run) {
  if (!run->span.has_value()) return nullptr;
  return [run] { return absl::StrCat("\"scheduler\":", EndSpan(run).has_value() ? "null" : run->span->Json()); };
}

int RunSpec(Run* run) {
  if (!run->spec.has_value()) return kExitGood;
  std::vector<std::string> arguments = {absl::StrCat("--target=", run->guest->address())};
  arguments.insert(arguments.end(), run->workload_flags.begin(), run->workload_flags.end());
  const absl::StatusOr<Flags> flags = Flags::Parse(arguments, RunCommand().flags);
  if (!flags.ok()) return Fail(flags.status(), kExitUsage);
  const absl::Time begin = absl::Now();
  int code = kExitGood;
  {
    const GuestWatch watch(run->guest->qemu(), [&] { EndWithGuest(run); });
    // From here on a signal does what it does in `muster run`: once the workload runs it stops it and collects its
    // reports; after that it waits until the guest is off, which takes seconds.
    run->interrupts->HandOver();
    const std::unique_ptr<SchedulerWatch> scheduler = WatchScheduler(*run);
    code = RunWorkload(*flags, *run->spec, {SchedulerJson(run), [run] { Interrupt(run); }});
  }
  // What the guest died of says more than what the client saw of it.
  const std::optional<GuestFailure> failure = code == kExitGood ? std::nullopt : run->guest->FindFailure();
  if (failure.has_value()) return Fail(*failure);
  Say(absl::StrFormat("workload took %.2f s", absl::ToDoubleSeconds(absl::Now() - begin)));
  return code;
}

// Says which scheduler it was, with the results.
int TellScheduler(const Run& run, int code) {
  (run.json ? std::cerr : std::cout) << run.span->Describe() << "\n" << std::flush;
  if (run.out.empty() || !run.spec.has_value()) return code;
  const absl::Status written = WriteFileAtomically(run.out + "/scheduler.json", run.span->Json() + "\n");
  return written.ok() ? code : Fail(written, kExitIo);
}

// RunSpec, and a look at the scheduler before and after it: what ran under another one is no result.
int RunUnderScheduler(Run* run) {
  SchedulerSpan span;
  std::optional<GuestFailure> failure = SchedulerSpan::Begin(run->guest.get(), &span);
  if (failure.has_value()) return Fail(*failure);
  run->span = std::move(span);
  const int code = RunSpec(run);
  failure = EndSpan(run);
  return failure.has_value() ? Fail(*failure) : TellScheduler(*run, code);
}

// Ends the guest, or lets it go.
int Finish(Run* run, int code) {
  if (!run->keep) {
    Say(absl::StrFormat("powered off in %.2f s",
                        absl::ToDoubleSeconds(run->guest->PowerOff(Deadline::After(kPowerOffLimit)))));
    return code;
  }
  const std::string address = run->guest->address();
  Guest::Keep(std::move(run->guest));
  std::cout << address << "\n";
  Say(absl::StrCat("the guest is kept; `muster vm stop ", address, "` ends it"));
  return code;
}

}  // namespace

std::vector<FlagSpec> RunFlags() {
  std::vector<FlagSpec> specs = {{"keep", "", "leave the guest running and print its address"},
                                 {"boot-timeout", "SECONDS", "until musterd must serve (default 90)"}};
  for (const std::vector<FlagSpec>& more : {WorkloadFlags(), GuestFlags()})
    specs.insert(specs.end(), more.begin(), more.end());
  return specs;
}

int RunRun(const Flags& flags) {
  Run run;
  const absl::Status read = ReadFlags(flags, &run);
  if (!read.ok()) return Fail(read, kExitUsage);
  const absl::Status spec = ReadSpec(flags, &run);
  if (!spec.ok()) {
    Say(std::string(spec.message()));
    return SpecExitCode(spec);
  }
  const absl::Status scheduler = run.scheduler ? CheckScheduler(flags.Get("scheduler")) : absl::OkStatus();
  if (!scheduler.ok()) return Fail(scheduler, kExitNoScheduler);
  absl::StatusOr<std::unique_ptr<InterruptWatch>> interrupts = InterruptWatch::Start();
  if (!interrupts.ok()) return Fail(interrupts.status(), kExitNoGuest);
  run.interrupts = *std::move(interrupts);
  absl::StatusOr<GuestOptions> options = PrepareGuest(flags, Say);
  if (!options.ok()) return Fail(options.status(), kExitNoGuest);
  run.guest_options = *std::move(options);
  run.guest_options.may_be_kept = run.keep;
  const absl::Status launched = Launch(&run);
  if (!launched.ok()) return Fail(launched, kExitNoGuest);
  Say(absl::StrCat("transport: ", Describe(run.guest->transport())));
  const std::optional<GuestFailure> failure = Boot(&run);
  if (failure.has_value()) return Fail(*failure);
  const int code = run.scheduler ? RunUnderScheduler(&run) : RunSpec(&run);
  run.interrupts.reset();
  return Finish(&run, code);
}

std::vector<FlagSpec> NoFlags() { return {}; }

int RunPs(const Flags&) {
  const absl::StatusOr<std::vector<KeptGuest>> guests = ListKeptGuests(GuestDirRoot());
  if (!guests.ok()) return Fail(guests.status(), kExitNoGuest);
  for (const KeptGuest& guest : *guests) std::cout << guest.address << "\n";
  return kExitGood;
}

int RunStop(const Flags& flags) {
  const absl::StatusOr<std::vector<KeptGuest>> guests = ListKeptGuests(GuestDirRoot());
  if (!guests.ok()) return Fail(guests.status(), kExitNoGuest);
  const std::vector<std::string>& wanted = flags.positional();
  int code = kExitGood;
  size_t found = 0;
  for (const KeptGuest& guest : *guests) {
    if (!wanted.empty() && std::count(wanted.begin(), wanted.end(), guest.address) == 0) continue;
    ++found;
    const absl::Status stopped = StopKeptGuest(guest);
    if (!stopped.ok()) code = Fail(stopped, kExitNoGuest);
  }
  if (found < wanted.size())
    return Fail(absl::NotFoundError("stop: no such guest; `muster vm ps` lists them"), kExitNoGuest);
  return code;
}

}  // namespace muster::vm
