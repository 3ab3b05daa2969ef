#include "tools/vm/qemu/command.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace muster::vm {
namespace {

// With the default CPU, QEMU 7.2's emulation of cmpxchg16b panics guests now and then; with one thread per guest CPU
// its emulation of self-modifying code does. Both are avoided here.
std::vector<std::string> AcceleratorArguments(const QemuCommand& command) {
  if (command.accelerator == Accelerator::kKvm) return {"-accel", "kvm", "-cpu", "host"};
  // Threads of a core are told to the guest in Intel's way only; AMD's, which is the default, is not emulated.
  return {"-accel", "tcg,thread=single", "-cpu",
          command.shape.smt ? "qemu64,-cx16,vendor=GenuineIntel" : "qemu64,-cx16"};
}

void Append(const std::vector<std::string>& more, std::vector<std::string>* arguments) {
  arguments->insert(arguments->end(), more.begin(), more.end());
}

}  // namespace

std::string KernelCommandLine(const QemuCommand& command) {
  // With -no-reboot, panic=-1 ends QEMU at once. The kernel's test of its timer panics on a machine that is too busy to
  // deliver ten ticks in time, and finds nothing on an emulated one.
  std::vector<std::string> words = {"console=ttyS0", "quiet", "panic=-1", "no_timer_check", "rdinit=/init"};
  if (!command.kernel_arguments.empty()) words.push_back(command.kernel_arguments);
  words.push_back("--");
  std::vector<std::string> daemon = DaemonArguments(command.transport);
  Append(command.daemon_arguments, &daemon);
  if (command.musterd_is_init) {
    Append(daemon, &words);
  } else {
    Append(InitArguments(command.transport), &words);
    for (const std::string& argument : daemon) words.push_back(absl::StrCat("--daemon=", argument));
  }
  return absl::StrJoin(words, " ");
}

std::vector<std::string> QemuArguments(const QemuCommand& command) {
  std::vector<std::string> arguments = {command.program};
  Append(AcceleratorArguments(command), &arguments);
  Append({"-M", "q35", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"}, &arguments);
  Append(ShapeArguments(command.shape), &arguments);
  Append({"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"}, &arguments);
  Append(TransportArguments(command.transport), &arguments);
  Append({"-kernel", command.kernel, "-initrd", command.initrd, "-append", KernelCommandLine(command)}, &arguments);
  return arguments;
}

}  // namespace muster::vm
