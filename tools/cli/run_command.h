// `muster run`.
#ifndef MUSTER_TOOLS_CLI_RUN_COMMAND_H_
#define MUSTER_TOOLS_CLI_RUN_COMMAND_H_

#include "tools/cli/command.h"

namespace muster {

// A whole life of one workload: spawn, start, watch, stop, collect, judge.
Command RunCommand();

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_RUN_COMMAND_H_
