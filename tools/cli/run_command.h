// `muster run`.
#ifndef MUSTER_TOOLS_CLI_RUN_COMMAND_H_
#define MUSTER_TOOLS_CLI_RUN_COMMAND_H_

#include "tools/cli/command.h"
#include "tools/cli/report_sink.h"

namespace muster {

// A whole life of one workload: spawn, start, watch, stop, collect, judge.
Command RunCommand();

// What it does; --json shows `more` too. Returns the exit code.
int RunWorkload(const Flags& flags, MoreJson more);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_RUN_COMMAND_H_
