// Which daemon a command speaks to.
#ifndef MUSTER_TOOLS_CLI_TARGET_H_
#define MUSTER_TOOLS_CLI_TARGET_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/operator.h"
#include "client/private_daemon.h"
#include "tools/cli/flags.h"

namespace muster {

// --target, for commands that need a daemon that runs.
FlagSpec TargetFlag();

// --target, and those for a private daemon in its place.
std::vector<FlagSpec> TargetOrPrivateFlags();

// What --target says, else the environment variable MUSTER_TARGET; empty when neither does. INVALID_ARGUMENT: no
// address.
absl::StatusOr<std::string> TargetOf(const Flags& flags);

// A daemon to speak to: the named one, or a private one that ends with this object.
struct Daemon {
  std::string address;
  std::optional<PrivateDaemon> own;
};

// Uses `target`, or starts a private daemon when it is empty. Call it from the main thread.
absl::StatusOr<Daemon> OpenDaemon(const std::string& target, const Flags& flags);

// An operator's connection to the named daemon. INVALID_ARGUMENT: none was named.
absl::StatusOr<Operator> ConnectOperator(const Flags& flags);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_TARGET_H_
