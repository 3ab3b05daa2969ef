// `muster info` and `muster types`.
#ifndef MUSTER_TOOLS_CLI_INFO_COMMAND_H_
#define MUSTER_TOOLS_CLI_INFO_COMMAND_H_

#include <string>

#include "muster/v1/muster.pb.h"
#include "tools/cli/command.h"

namespace muster {

// What the daemon and its machine are and can do.
Command InfoCommand();

// The catalogue of work types.
Command TypesCommand();

// As the commands print them.
std::string FormatInfo(const v1::GetServerInfoResponse& info);
std::string FormatTypes(const v1::GetServerInfoResponse& info);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_INFO_COMMAND_H_
