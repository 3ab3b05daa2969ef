// The command line.
#ifndef MUSTER_TOOLS_CLI_CLI_H_
#define MUSTER_TOOLS_CLI_CLI_H_

#include <string>
#include <vector>

#include "tools/cli/command.h"

namespace muster {

// Finds the command that `args` begins with, reads its flags, runs it; --help prints help. Returns the exit code.
int RunCli(const std::vector<Command>& commands, const std::vector<std::string>& args);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_CLI_H_
