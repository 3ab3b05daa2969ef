// `muster vm run`.
#ifndef MUSTER_TOOLS_VM_RUN_RUN_COMMAND_H_
#define MUSTER_TOOLS_VM_RUN_RUN_COMMAND_H_

#include <vector>

#include "tools/vm/support/flags.h"

namespace muster::vm {

std::vector<FlagSpec> RunFlags();

// Boots a guest, runs the spec in it, powers it off. Returns the exit code. Without a spec it only boots, for a look or for --keep.
int RunRun(const Flags& flags);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_RUN_COMMAND_H_
