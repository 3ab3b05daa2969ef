// Commands about pools that somebody else made.
#ifndef MUSTER_TOOLS_CLI_POOL_COMMANDS_H_
#define MUSTER_TOOLS_CLI_POOL_COMMANDS_H_

#include <string>

#include "muster/v1/muster.pb.h"
#include "tools/cli/command.h"

namespace muster {

// `muster ps`: every pool.
Command PsCommand();
// `muster snapshot POOL`: the counters of its workers.
Command SnapshotCommand();
// `muster watch POOL`: what happens in each period, until the pool ends.
Command WatchCommand();
// `muster drop POOL`: kills and forgets it.
Command DropCommand();

// As the commands print them.
std::string FormatPools(const v1::ListPoolsResponse& pools);
std::string FormatSnapshot(const v1::SnapshotResponse& snapshot);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_POOL_COMMANDS_H_
