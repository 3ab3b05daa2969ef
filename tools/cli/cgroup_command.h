// `muster cgroup`.
#ifndef MUSTER_TOOLS_CLI_CGROUP_COMMAND_H_
#define MUSTER_TOOLS_CLI_CGROUP_COMMAND_H_

#include "absl/status/statusor.h"
#include "muster/v1/muster.pb.h"
#include "tools/cli/command.h"

namespace muster {

// `muster cgroup create NAME`: makes one that stays until it is removed.
Command CgroupCreateCommand();
// `muster cgroup rm NAME`: kills what is inside and removes it.
Command CgroupRemoveCommand();

// What the flags of `cgroup create` ask for.
absl::StatusOr<v1::CgroupSpec> CgroupSpecOf(const Flags& flags);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_CGROUP_COMMAND_H_
