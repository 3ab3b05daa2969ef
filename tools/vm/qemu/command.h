// QEMU's command line.
#ifndef MUSTER_TOOLS_VM_QEMU_COMMAND_H_
#define MUSTER_TOOLS_VM_QEMU_COMMAND_H_

#include <string>
#include <vector>

#include "tools/vm/qemu/shape.h"
#include "tools/vm/qemu/transport.h"

namespace muster::vm {

enum class Accelerator { kKvm, kTcg };

struct QemuCommand {
  std::string program = "qemu-system-x86_64";
  Accelerator accelerator = Accelerator::kTcg;
  Shape shape;
  Transport transport;
  // Of the guest.
  std::string kernel;
  std::string initrd;
  // More for the kernel's command line, as "isolcpus=1".
  std::string kernel_arguments;
  // musterd is pid 1 itself; else our init is.
  bool musterd_is_init = false;
  // Of musterd, besides where it listens.
  std::vector<std::string> daemon_arguments;
};

// argv. The guest's console is QEMU's standard input and output.
std::vector<std::string> QemuArguments(const QemuCommand& command);

// The guest's kernel command line; what follows "--" is for init.
std::string KernelCommandLine(const QemuCommand& command);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_QEMU_COMMAND_H_
