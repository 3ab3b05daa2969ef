// `muster vm run`, `ps` and `stop`.
#ifndef MUSTER_TOOLS_VM_RUN_RUN_COMMAND_H_
#define MUSTER_TOOLS_VM_RUN_RUN_COMMAND_H_

#include <vector>

#include "tools/vm/support/flags.h"

namespace muster::vm {

// Boots a guest, runs the spec in it, powers it off. Returns the exit code. Without a spec it only boots, for a look or
// for --keep.
std::vector<FlagSpec> RunFlags();
int RunRun(const Flags& flags);

// Prints the addresses of guests that were kept.
int RunPs(const Flags& flags);

// Ends the kept guests of these addresses; without any, all.
int RunStop(const Flags& flags);

std::vector<FlagSpec> NoFlags();

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_RUN_COMMAND_H_
