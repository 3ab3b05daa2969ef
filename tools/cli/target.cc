#include "tools/cli/target.h"

#include <stdlib.h>

#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "base/status_macros.h"
#include "tools/cli/programs.h"

namespace muster {
namespace {

constexpr int kMaxControlPriority = 99;

std::string Environment(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<PrivateDaemonOptions> PrivateOptions(const Flags& flags) {
  PrivateDaemonOptions options;
  ASSIGN_OR_RETURN(const std::string own_directory, OwnDirectory());
  const std::string path = Environment("PATH");
  ASSIGN_OR_RETURN(options.musterd,
                   FindProgram({"musterd", "daemon", "musterd", flags.Get("musterd")}, own_directory, path));
  ASSIGN_OR_RETURN(
      options.worker_binary,
      FindProgram({"muster-worker", "worker", "muster-worker", flags.Get("muster-worker")}, own_directory, path));
  if (flags.Has("allow-exec")) options.flags.push_back("--allow-exec");
  if (flags.Has("control-priority")) {
    ASSIGN_OR_RETURN(const int64_t priority, flags.GetInt("control-priority", 0, {0, kMaxControlPriority}));
    options.flags.insert(options.flags.end(), {"--control-priority", absl::StrCat(priority)});
  }
  return options;
}

}  // namespace

FlagSpec TargetFlag() {
  return {"target", "ADDR", "daemon: unix:///path, tcp://host:port, vsock://CID:PORT (or set MUSTER_TARGET)"};
}

std::vector<FlagSpec> TargetOrPrivateFlags() {
  return {TargetFlag(),
          {"musterd", "PATH", "musterd to start when no target is named"},
          {"muster-worker", "PATH", "worker binary for that musterd"},
          {"allow-exec", "", "that musterd may run programs as work"},
          {"control-priority", "N", "SCHED_FIFO priority of that musterd, 0 to 99; 0: ordinary"}};
}

absl::StatusOr<std::string> TargetOf(const Flags& flags) {
  const std::string target = flags.Has("target") ? flags.Get("target") : Environment("MUSTER_TARGET");
  if (target.empty()) return target;
  RETURN_IF_ERROR(ParseAddress(target).status());
  return target;
}

absl::StatusOr<Daemon> OpenDaemon(const std::string& target, const Flags& flags) {
  if (!target.empty()) return Daemon{target, std::nullopt};
  ASSIGN_OR_RETURN(const PrivateDaemonOptions options, PrivateOptions(flags));
  ASSIGN_OR_RETURN(PrivateDaemon own, PrivateDaemon::Start(options));
  const std::string address = own.address();
  return Daemon{address, std::move(own)};
}

absl::StatusOr<Operator> ConnectOperator(const Flags& flags) {
  ASSIGN_OR_RETURN(const std::string target, TargetOf(flags));
  if (target.empty()) {
    return absl::InvalidArgumentError("name the daemon with --target, or set MUSTER_TARGET");
  }
  return Operator::Connect(target, {.timeout = absl::Seconds(10)});
}

}  // namespace muster
