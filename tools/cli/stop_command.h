// `muster stop`.
#ifndef MUSTER_TOOLS_CLI_STOP_COMMAND_H_
#define MUSTER_TOOLS_CLI_STOP_COMMAND_H_

#include "tools/cli/command.h"

namespace muster {

// Stops a pool that somebody else made, and judges its reports. The daemon does not tell an operator a pool's spec: gaps are
// judged by the default threshold, and what --json and --out give as the resolved spec are its groups' cgroups.
Command StopCommand();

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_STOP_COMMAND_H_
