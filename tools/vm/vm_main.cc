#include "tools/vm/vm_main.h"

#include <iostream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tools/cli/exit_code.h"
#include "tools/vm/exit_codes.h"
#include "tools/vm/image/image_flags.h"
#include "tools/vm/image/initramfs.h"
#include "tools/vm/kernel/kernel_store.h"
#include "tools/vm/kernel/vsock_device.h"
#include "tools/vm/run/run_command.h"
#include "tools/vm/support/cache.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {
namespace {

struct Subcommand {
  std::string name;
  // As "[SPEC]"; may be empty.
  std::string arguments;
  std::string summary;
  std::vector<FlagSpec> (*flags)();
  int (*run)(const Flags& flags);
};

int Fail(const absl::Status& status, int code) {
  std::cerr << "muster vm: " << status.message() << "\n";
  return status.code() == absl::StatusCode::kInvalidArgument ? kExitUsage : code;
}

int RunKernel(const Flags& flags) {
  const absl::StatusOr<GuestKernel> kernel = KernelFrom(flags);
  if (!kernel.ok()) return Fail(kernel.status(), kExitNoGuest);
  std::cout << kernel->image << "\n";
  return kExitGood;
}

std::vector<FlagSpec> ImageSubcommandFlags() {
  std::vector<FlagSpec> specs = {{"out", "FILE", "where to write it (default muster-guest.cpio)"},
                                 {"compress", "", "write it gzipped"},
                                 {"kernel", "FILE", "own kernel, for its modules"}};
  for (const std::vector<FlagSpec>& more : {KernelFlags(), ImageFlags()})
    specs.insert(specs.end(), more.begin(), more.end());
  return specs;
}

absl::Status WriteImage(const Flags& flags) {
  ASSIGN_OR_RETURN(const GuestKernel kernel, KernelFrom(flags));
  ASSIGN_OR_RETURN(ImageOptions options, ImageOptionsFrom(flags));
  options.modules = kernel.modules;
  ASSIGN_OR_RETURN(const std::string image, BuildInitramfs(options));
  ASSIGN_OR_RETURN(const std::string compressed, Compress(image));
  const std::string path = flags.Get("out", flags.Has("compress") ? "muster-guest.cpio.gz" : "muster-guest.cpio");
  RETURN_IF_ERROR(WriteFileAtomically(path, flags.Has("compress") ? compressed : image));
  std::cout << path << ": "
            << absl::StrFormat("%.1f MB, compressed %.1f MB", image.size() / 1e6, compressed.size() / 1e6) << "\n";
  return absl::OkStatus();
}

int RunImage(const Flags& flags) {
  const absl::Status status = WriteImage(flags);
  return status.ok() ? kExitGood : Fail(status, kExitNoGuest);
}

int RunVsockDevice(const Flags& flags) {
  const absl::StatusOr<KernelOptions> options = KernelOptionsFrom(flags);
  if (!options.ok()) return Fail(options.status(), kExitUsage);
  const absl::StatusOr<std::string> path = FetchVsockDevice(*options);
  if (!path.ok()) return Fail(path.status(), kExitNoGuest);
  std::cout << *path << "\n";
  return kExitGood;
}

std::vector<Subcommand> Subcommands() {
  return {{"kernel", "", "find or fetch a distribution kernel and print its path", KernelFlags, RunKernel},
          {"image", "", "write a guest's initramfs and print its size", ImageSubcommandFlags, RunImage},
          {"vsock-device", "", "find or fetch vhost-device-vsock and print its path", KernelFlags, RunVsockDevice},
          {"run", "[SPEC]", "boot a guest, run a spec in it, power it off", RunFlags, RunRun},
          {"ps", "", "print the addresses of guests that were kept", NoFlags, RunPs},
          {"stop", "[ADDRESS...]", "end the kept guests of these addresses, or all", NoFlags, RunStop}};
}

std::string Synopsis(const Subcommand& subcommand) {
  return absl::StrCat(subcommand.name, subcommand.arguments.empty() ? "" : " ", subcommand.arguments);
}

constexpr char kExitCodes[] = R"(
exit codes, besides those of `muster run` (`muster run --help`):
   10  the guest could not be prepared: no kernel, no QEMU, no image
   11  its kernel panicked; the console's last lines are told
   12  it hung at its boot
   13  musterd in it never served
   14  it was there and is gone
   15  the scheduler was not loaded
   16  the scheduler was not active to the end
  130  interrupted
)";

std::string Help() {
  std::string text = "usage: muster vm SUBCOMMAND [flags]; muster vm SUBCOMMAND --help tells more\n\n";
  for (const Subcommand& subcommand : Subcommands()) {
    absl::StrAppendFormat(&text, "  %-22s %s\n", Synopsis(subcommand), subcommand.summary);
  }
  return absl::StrCat(text, kExitCodes);
}

std::string SubcommandHelp(const Subcommand& subcommand, const std::vector<FlagSpec>& flags) {
  return absl::StrCat("usage: muster vm ", Synopsis(subcommand), " [flags]\n\n", subcommand.summary, "\n\n",
                      DescribeFlags(flags), kExitCodes);
}

int RunSubcommand(const Subcommand& subcommand, const std::vector<std::string>& args) {
  std::vector<FlagSpec> specs = subcommand.flags();
  specs.push_back({"help", "", "print this"});
  const absl::StatusOr<Flags> flags = Flags::Parse(args, specs);
  if (!flags.ok()) {
    return Fail(absl::InvalidArgumentError(
                    absl::StrCat(flags.status().message(), "; see muster vm ", subcommand.name, " --help")),
                kExitUsage);
  }
  if (!flags->Has("help")) return subcommand.run(*flags);
  std::cout << SubcommandHelp(subcommand, specs);
  return kExitGood;
}

}  // namespace

int VmMain(const std::vector<std::string>& args) {
  const std::string first = args.empty() ? "" : args[0];
  if (first == "--help" || first == "-h" || first == "help") {
    std::cout << Help();
    return kExitGood;
  }
  for (const Subcommand& subcommand : Subcommands()) {
    if (first == subcommand.name) return RunSubcommand(subcommand, {args.begin() + 1, args.end()});
  }
  if (!first.empty()) std::cerr << "muster vm: there is no subcommand \"" << first << "\"\n";
  std::cerr << Help();
  return kExitUsage;
}

}  // namespace muster::vm
