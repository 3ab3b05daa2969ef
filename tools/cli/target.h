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
#include "tools/cli/exit_code.h"
#include "tools/cli/flags.h"

namespace muster {

// A daemon that runs, and how to connect to it.
struct Target {
  // Empty: none was named.
  std::string address;
  ConnectionOptions connection;
};

// --target and what goes with it, for commands that need a daemon that runs; then `more`.
std::vector<FlagSpec> TargetFlags(std::vector<FlagSpec> more = {});

// The same, and those for a private daemon in its place.
std::vector<FlagSpec> TargetOrPrivateFlags();

// What --target and --tls-… say, else the environment variables MUSTER_TARGET and MUSTER_TLS_…. INVALID_ARGUMENT: no
// address, or TLS by halves or with an address that is not tcp.
absl::StatusOr<Target> TargetOf(const Flags& flags);

// A daemon to speak to: a named one, or a private one that ends with this object. Move-only.
class Daemon {
 public:
  // Uses `target`, or starts a private daemon when it names none, whose log is kept, unless --daemon-log says
  // otherwise.
  static absl::StatusOr<Daemon> Open(const Target& target, const Flags& flags);

  const Target& target() const { return target_; }

  // Ends a private daemon, and prints its log when `exit_code` is that of an error (64 and above). Returns `exit_code`.
  int Close(int exit_code);

 private:
  Daemon() = default;

  absl::Status StartPrivate(const Flags& flags);
  void ShowLog() const;

  Target target_;
  // An unnamed file; invalid: the log went elsewhere.
  UniqueFd log_;
  std::optional<PrivateDaemon> own_;
};

// What a command ends with when Open failed.
ExitCode DaemonExitCode(const absl::Status& status);

// An operator's connection to the named daemon. INVALID_ARGUMENT: none was named.
absl::StatusOr<Operator> ConnectOperator(const Flags& flags);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_TARGET_H_
