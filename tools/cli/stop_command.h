// `muster stop`.
#ifndef MUSTER_TOOLS_CLI_STOP_COMMAND_H_
#define MUSTER_TOOLS_CLI_STOP_COMMAND_H_

#include "tools/cli/command.h"

namespace muster {

// Stops a pool that somebody else made, and judges its reports by the pool's own spec: the same verdict, and the same
// resolved spec in --json and --out, as `muster run` of that spec gives.
Command StopCommand();

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_STOP_COMMAND_H_
