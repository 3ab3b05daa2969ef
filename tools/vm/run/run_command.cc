#include "tools/vm/run/run_command.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tools/vm/run/prepare.h"

namespace muster::vm {
namespace {

void Say(const std::string& line) { std::cerr << "muster vm: " << line << "\n"; }

int Report(const GuestFailure& failure) {
  Say(failure.message);
  return failure.code;
}

void SayTimes(const Guest& guest) {
  const BootTimes times = guest.boot_times();
  Say(absl::StrFormat("booted in %.2f s: QEMU %.2f, kernel %.2f, init %.2f, musterd %.2f", absl::ToDoubleSeconds(times.qemu + times.kernel + times.init + times.daemon),
                      absl::ToDoubleSeconds(times.qemu), absl::ToDoubleSeconds(times.kernel), absl::ToDoubleSeconds(times.init),
                      absl::ToDoubleSeconds(times.daemon)));
}

}  // namespace

std::vector<FlagSpec> RunFlags() {
  std::vector<FlagSpec> specs = {{"keep", "", "leave the guest running and print its address"},
                                 {"boot-timeout", "SECONDS", "until musterd must serve (default 90)"}};
  const std::vector<FlagSpec> guest = GuestFlags();
  specs.insert(specs.end(), guest.begin(), guest.end());
  return specs;
}

int RunRun(const Flags& flags) {
  absl::StatusOr<GuestOptions> options = PrepareGuest(flags, Say);
  if (!options.ok()) {
    Say(std::string(options.status().message()));
    return options.status().code() == absl::StatusCode::kInvalidArgument ? kExitUsage : kExitNoGuest;
  }
  options->may_be_kept = flags.Has("keep");
  absl::StatusOr<std::unique_ptr<Guest>> guest = Guest::Launch(*options);
  if (!guest.ok()) {
    Say(std::string(guest.status().message()));
    return kExitNoGuest;
  }
  Say(absl::StrCat("transport: ", Describe((*guest)->transport())));
  const Deadline deadline = Deadline::After(absl::Seconds(90));
  std::optional<GuestFailure> failure = (*guest)->WaitForInit(deadline);
  if (!failure.has_value()) failure = (*guest)->WaitForDaemon(deadline);
  if (failure.has_value()) return Report(*failure);
  SayTimes(**guest);
  if (flags.Has("keep")) {
    std::cout << (*guest)->address() << "\n";
    Say(Guest::Keep(*std::move(guest)));
    return kExitOk;
  }
  Say(absl::StrFormat("powered off in %.2f s", absl::ToDoubleSeconds((*guest)->PowerOff(Deadline::After(absl::Seconds(10))))));
  return kExitOk;
}

}  // namespace muster::vm
