#include "tools/vm/run/run_command.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tools/vm/run/interrupt_watch.h"
#include "tools/vm/run/kept_guests.h"
#include "tools/vm/run/prepare.h"
#include "tools/vm/run/workload.h"

namespace muster::vm {
namespace {

constexpr absl::Duration kPowerOffLimit = absl::Seconds(10);

void Say(const std::string& line) { std::cerr << "muster vm: " << line << "\n"; }

int Fail(const absl::Status& status, ExitCode code) {
  Say(std::string(status.message()));
  return status.code() == absl::StatusCode::kInvalidArgument ? kExitUsage : code;
}

int Fail(const GuestFailure& failure) {
  Say(failure.message);
  return failure.code;
}

// All that one run needs; the guest is watched over from its first moment.
struct Run {
  absl::Duration boot_timeout;
  // Empty: no spec.
  std::string spec_path;
  v1::WorkloadSpec spec;
  std::string out;
  bool keep = false;
  GuestOptions guest_options;
  std::unique_ptr<InterruptWatch> interrupts;
  std::unique_ptr<Guest> guest;
};

absl::Status ReadFlags(const Flags& flags, Run* run) {
  ASSIGN_OR_RETURN(const int64_t seconds, flags.GetInt("boot-timeout", 90, {1, 3600}));
  run->boot_timeout = absl::Seconds(seconds);
  run->out = flags.Get("out");
  run->keep = flags.Has("keep");
  if (flags.positional().size() > 1) return absl::InvalidArgumentError("muster vm run takes one spec");
  if (flags.positional().empty()) return absl::OkStatus();
  run->spec_path = flags.positional()[0];
  ASSIGN_OR_RETURN(run->spec, ReadSpec(run->spec_path));
  return absl::OkStatus();
}

absl::Status Launch(Run* run) {
  absl::Status launched;
  run->interrupts->Exchange([&]() -> std::function<void()> {
    absl::StatusOr<std::unique_ptr<Guest>> guest = Guest::Launch(run->guest_options);
    launched = guest.status();
    if (!guest.ok()) return nullptr;
    run->guest = *std::move(guest);
    return [guest = run->guest.get(), directory = run->guest->directory()] {
      guest->Kill();
      std::error_code error;
      std::filesystem::remove_all(directory, error);
    };
  });
  return launched;
}

void SayTimes(const BootTimes& times) {
  Say(absl::StrFormat("serving after %.2f s: QEMU and firmware %.2f, kernel %.2f, init %.2f, musterd %.2f",
                      absl::ToDoubleSeconds(times.qemu + times.kernel + times.init + times.daemon), absl::ToDoubleSeconds(times.qemu),
                      absl::ToDoubleSeconds(times.kernel), absl::ToDoubleSeconds(times.init), absl::ToDoubleSeconds(times.daemon)));
}

std::optional<GuestFailure> Boot(Run* run) {
  const Deadline deadline = Deadline::After(run->boot_timeout);
  std::optional<GuestFailure> failure = run->guest->WaitForInit(deadline);
  if (!failure.has_value()) failure = run->guest->WaitForDaemon(deadline);
  if (!failure.has_value()) SayTimes(run->guest->boot_times());
  return failure;
}

int JudgeSummary(const ReportSummary& summary) {
  std::cout << FormatStats(summary) << std::flush;
  for (const WorkerFinding& finding : summary.starved) Say(absl::StrCat("worker ", finding.worker_index, " in ", finding.cgroup, ": ", finding.text));
  return summary.verdict == Verdict::kBad ? kExitVerdictBad : kExitOk;
}

int RunSpec(Run* run) {
  if (run->spec_path.empty()) return kExitOk;
  const absl::Time begin = absl::Now();
  const absl::StatusOr<ReportSummary> summary = RunWorkload({run->guest->address(), run->spec, run->boot_timeout, run->out});
  if (summary.ok()) {
    Say(absl::StrFormat("workload took %.2f s", absl::ToDoubleSeconds(absl::Now() - begin)));
    return JudgeSummary(*summary);
  }
  // A guest that died is the reason, and not what the client saw of it.
  const std::optional<GuestFailure> failure = run->guest->FindFailure();
  if (failure.has_value()) return Fail(*failure);
  Say(absl::StrCat("workload failed: ", summary.status().message()));
  return kExitWorkloadFailed;
}

// Ends the guest, or lets it go.
int Finish(Run* run, int code) {
  if (!run->keep) {
    if (code <= kExitWorkloadFailed) Say(absl::StrFormat("powered off in %.2f s", absl::ToDoubleSeconds(run->guest->PowerOff(Deadline::After(kPowerOffLimit)))));
    run->interrupts->Exchange([&] {
      run->guest.reset();
      return nullptr;
    });
    return code;
  }
  const std::string address = run->guest->address();
  absl::Status kept;
  run->interrupts->Exchange([&] {
    kept = Guest::Keep(std::move(run->guest));
    return nullptr;
  });
  if (!kept.ok()) return Fail(kept, kExitNoGuest);
  std::cout << address << "\n";
  Say(absl::StrCat("the guest is kept; `muster vm stop ", address, "` ends it"));
  return code;
}

}  // namespace

std::vector<FlagSpec> RunFlags() {
  std::vector<FlagSpec> specs = {{"out", "DIR", "write reports.jsonl and summary.json there"},
                                 {"keep", "", "leave the guest running and print its address"},
                                 {"boot-timeout", "SECONDS", "until musterd must serve (default 90)"}};
  const std::vector<FlagSpec> guest = GuestFlags();
  specs.insert(specs.end(), guest.begin(), guest.end());
  return specs;
}

int RunRun(const Flags& flags) {
  Run run;
  const absl::Status read = ReadFlags(flags, &run);
  if (!read.ok()) return Fail(read, kExitUsage);
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
  if (!failure.has_value()) return Finish(&run, RunSpec(&run));
  run.keep = false;
  return Finish(&run, Fail(*failure));
}

std::vector<FlagSpec> NoFlags() { return {}; }

int RunPs(const Flags&) {
  const absl::StatusOr<std::vector<KeptGuest>> guests = ListKeptGuests(GuestDirRoot());
  if (!guests.ok()) return Fail(guests.status(), kExitNoGuest);
  for (const KeptGuest& guest : *guests) std::cout << guest.address << "\n";
  return kExitOk;
}

int RunStop(const Flags& flags) {
  const absl::StatusOr<std::vector<KeptGuest>> guests = ListKeptGuests(GuestDirRoot());
  if (!guests.ok()) return Fail(guests.status(), kExitNoGuest);
  const std::vector<std::string>& wanted = flags.positional();
  int code = kExitOk;
  size_t found = 0;
  for (const KeptGuest& guest : *guests) {
    if (!wanted.empty() && std::count(wanted.begin(), wanted.end(), guest.address) == 0) continue;
    ++found;
    const absl::Status stopped = StopKeptGuest(guest);
    if (!stopped.ok()) code = Fail(stopped, kExitNoGuest);
  }
  if (found < wanted.size()) return Fail(absl::NotFoundError("stop: no such guest; `muster vm ps` lists them"), kExitNoGuest);
  return code;
}

}  // namespace muster::vm
