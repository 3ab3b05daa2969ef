// `muster run`.
#ifndef MUSTER_TOOLS_CLI_RUN_COMMAND_H_
#define MUSTER_TOOLS_CLI_RUN_COMMAND_H_

#include <functional>

#include "muster/v1/workload.pb.h"
#include "tools/cli/command.h"
#include "tools/cli/report_sink.h"

namespace muster {

// A whole life of one workload: spawn, start, watch, stop, collect, judge.
Command RunCommand();

struct RunHooks {
  // What --json shows besides.
  MoreJson more;
  // Called when SIGINT or SIGTERM came before there was a workload to stop, or when its reports had come and were being
  // printed; on a thread of its own; the process ends when it returns.
  std::function<void()> on_sudden_end = [] {};
};

// What it does with the spec, which was read already. Returns the exit code.
int RunWorkload(const Flags& flags, v1::WorkloadSpec spec, RunHooks hooks);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_RUN_COMMAND_H_
