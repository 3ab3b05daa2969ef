// Which daemon a command speaks to.
#ifndef MUSTER_TOOLS_CLI_TARGET_H_
#define MUSTER_TOOLS_CLI_TARGET_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
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

// A daemon to speak to: a named one, or a private one that ends with this object. Move-only.
class Daemon {
 public:
  // Uses `target`, or starts a private daemon when it is empty, whose log is kept, unless --daemon-log says otherwise.
  static absl::StatusOr<Daemon> Open(const std::string& target, const Flags& flags);

  const std::string& address() const { return address_; }

  // Ends a private daemon, and prints its log when `exit_code` is that of an error (64 and above). Returns `exit_code`.
  int Close(int exit_code);

 private:
  Daemon() = default;

  absl::Status StartPrivate(const Flags& flags);
  void ShowLog() const;

  std::string address_;
  // An unnamed file; invalid: the log went elsewhere.
  UniqueFd log_;
  std::optional<PrivateDaemon> own_;
};

// An operator's connection to the named daemon. INVALID_ARGUMENT: none was named.
absl::StatusOr<Operator> ConnectOperator(const Flags& flags);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_TARGET_H_
