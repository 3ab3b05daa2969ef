#include "tools/vm/vm_main.h"

#include <iostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/vm/exit_codes.h"
#include "tools/vm/kernel/kernel_store.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {
namespace {

struct Subcommand {
  std::string name;
  std::string summary;
  std::vector<FlagSpec> (*flags)();
  int (*run)(const Flags& flags);
};

int Fail(const absl::Status& status, ExitCode code) {
  std::cerr << "muster vm: " << status.message() << "\n";
  return status.code() == absl::StatusCode::kInvalidArgument ? kExitUsage : code;
}

int RunKernel(const Flags& flags) {
  absl::StatusOr<KernelOptions> options = KernelOptionsFrom(flags);
  if (!options.ok()) return Fail(options.status(), kExitUsage);
  const absl::StatusOr<GuestKernel> kernel = FetchKernel(*options);
  if (!kernel.ok()) return Fail(kernel.status(), kExitNoGuest);
  std::cout << kernel->image << "\n";
  return kExitOk;
}

std::vector<Subcommand> Subcommands() {
  return {{"kernel", "find or fetch a distribution kernel and print its path", KernelFlags, RunKernel}};
}

int Usage() {
  std::cerr << "usage: muster vm SUBCOMMAND [flags]\n";
  for (const Subcommand& subcommand : Subcommands()) {
    std::cerr << "\n" << subcommand.name << ": " << subcommand.summary << "\n" << DescribeFlags(subcommand.flags());
  }
  return kExitUsage;
}

}  // namespace

int VmMain(const std::vector<std::string>& args) {
  for (const Subcommand& subcommand : Subcommands()) {
    if (args.empty() || args[0] != subcommand.name) continue;
    const absl::StatusOr<Flags> flags = Flags::Parse({args.begin() + 1, args.end()}, subcommand.flags());
    return flags.ok() ? subcommand.run(*flags) : Fail(flags.status(), kExitUsage);
  }
  return Usage();
}

}  // namespace muster::vm
