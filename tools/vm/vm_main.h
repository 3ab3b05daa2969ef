// `muster vm ...`
#ifndef MUSTER_TOOLS_VM_VM_MAIN_H_
#define MUSTER_TOOLS_VM_VM_MAIN_H_

#include <string>
#include <vector>

namespace muster::vm {

// `args` starts with the subcommand. Writes results to the standard output, errors and progress to the standard error
// stream; returns the exit code (tools/vm/exit_codes.h).
int VmMain(const std::vector<std::string>& args);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_VM_MAIN_H_
