#include "tools/cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "base/errno_status.h"
#include "base/status_macros.h"
#include "tools/cli/programs.h"

namespace muster {
namespace {

constexpr int kMaxControlPriority = 99;

std::string Environment(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

std::string FlagOrEnvironment(const Flags& flags, absl::string_view name, const char* variable) {
  return flags.Has(name) ? flags.Get(name) : Environment(variable);
}

// Absent: nobody named a file.
absl::StatusOr<std::optional<TlsOptions>> TlsOf(const Flags& flags) {
  TlsOptions tls = {{.ca = FlagOrEnvironment(flags, "tls-ca", "MUSTER_TLS_CA"),
                     .certificate = FlagOrEnvironment(flags, "tls-cert", "MUSTER_TLS_CERT"),
                     .key = FlagOrEnvironment(flags, "tls-key", "MUSTER_TLS_KEY")},
                    flags.Get("tls-name")};
  const int given = !tls.files.ca.empty() + !tls.files.certificate.empty() + !tls.files.key.empty();
  if (given == 3) return std::optional<TlsOptions>(std::move(tls));
  if (given == 0 && tls.server_name.empty()) return std::optional<TlsOptions>();
  return absl::InvalidArgumentError("TLS takes --tls-ca, --tls-cert and --tls-key together");
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
  if (flags.Has("allow-block-devices")) options.flags.push_back("--allow-block-devices");
  if (flags.Has("io-dir")) options.flags.insert(options.flags.end(), {"--io-dir", flags.Get("io-dir")});
  if (flags.Has("control-priority")) {
    ASSIGN_OR_RETURN(const int64_t priority, flags.GetInt("control-priority", 0, {0, kMaxControlPriority}));
    options.flags.insert(options.flags.end(), {"--control-priority", absl::StrCat(priority)});
  }
  return options;
}

// Where a private daemon's log goes: the file that the flag names, or an unnamed one to be shown when something fails.
absl::StatusOr<UniqueFd> OpenLog(const Flags& flags) {
  const std::string path = flags.Get("daemon-log");
  UniqueFd log(path.empty() ? memfd_create("musterd-log", MFD_CLOEXEC)
                            : open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (log.valid()) return log;
  return absl::DataLossError(ErrnoStatus(errno, absl::StrCat("open musterd's log ", path)).message());
}

}  // namespace

std::vector<FlagSpec> TargetFlags(std::vector<FlagSpec> more) {
  std::vector<FlagSpec> flags = {
      {"target", "ADDR", "daemon: unix:///path, tcp://host:port, vsock://CID:PORT (or set MUSTER_TARGET)"},
      {"tls-ca", "FILE", "TLS over tcp: authority of the daemon's certificate (or set MUSTER_TLS_CA)"},
      {"tls-cert", "FILE", "TLS over tcp: our certificate (or set MUSTER_TLS_CERT)"},
      {"tls-key", "FILE", "TLS over tcp: its private key (or set MUSTER_TLS_KEY)"},
      {"tls-name", "NAME", "TLS over tcp: name in the daemon's certificate when it is not the host's"}};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

std::vector<FlagSpec> TargetOrPrivateFlags() {
  return TargetFlags(
      {{"musterd", "PATH", "musterd to start when no target is named"},
       {"muster-worker", "PATH", "worker binary for that musterd"},
       {"daemon-log", "FILE", "where that musterd writes its log; otherwise it is shown when something fails"},
       {"allow-exec", "", "that musterd may run programs as work"},
       {"allow-block-devices", "", "that I/O work may overwrite block devices that the spec names"},
       {"io-dir", "DIR", "for the files of I/O work that names no directory; /tmp otherwise"},
       {"control-priority", "N", "SCHED_FIFO priority of that musterd, 0 to 99; 0: ordinary"}});
}

absl::StatusOr<Target> TargetOf(const Flags& flags) {
  Target target;
  target.address = FlagOrEnvironment(flags, "target", "MUSTER_TARGET");
  const bool tls_flags = flags.Has("tls-ca") || flags.Has("tls-cert") || flags.Has("tls-key") || flags.Has("tls-name");
  bool tcp = false;
  if (!target.address.empty()) {
    ASSIGN_OR_RETURN(const Address address, ParseAddress(target.address));
    tcp = std::holds_alternative<TcpAddress>(address);
  }
  if (!tcp && tls_flags) return absl::InvalidArgumentError("--tls-… goes with --target tcp://host:port only");
  // The environment stands for whatever target comes.
  if (!tcp) return target;
  ASSIGN_OR_RETURN(target.connection.tls, TlsOf(flags));
  return target;
}

absl::StatusOr<Daemon> Daemon::Open(const Target& target, const Flags& flags) {
  Daemon daemon;
  daemon.target_ = target;
  if (!target.address.empty()) return daemon;
  const absl::Status started = daemon.StartPrivate(flags);
  if (started.ok()) return daemon;
  daemon.ShowLog();
  return started;
}

absl::Status Daemon::StartPrivate(const Flags& flags) {
  ASSIGN_OR_RETURN(PrivateDaemonOptions options, PrivateOptions(flags));
  ASSIGN_OR_RETURN(log_, OpenLog(flags));
  options.log_fd = log_.get();
  ASSIGN_OR_RETURN(PrivateDaemon own, PrivateDaemon::Start(options));
  target_.address = own.address();
  own_.emplace(std::move(own));
  return absl::OkStatus();
}

int Daemon::Close(int exit_code) {
  if (!own_.has_value()) return exit_code;
  const absl::Status stopped = own_->Stop();
  if (!stopped.ok()) std::cerr << "muster: " << stopped.message() << "\n";
  own_.reset();
  if (exit_code >= kExitUsage) ShowLog();
  return exit_code;
}

void Daemon::ShowLog() const {
  char buffer[4096];
  ssize_t got = 0;
  for (off_t offset = 0; log_.valid() && (got = pread(log_.get(), buffer, sizeof(buffer), offset)) > 0; offset += got) {
    std::cerr.write(buffer, got);
  }
  std::cerr.flush();
}

ExitCode DaemonExitCode(const absl::Status& status) {
  // A flag, or the log that could not be opened; all else is a daemon that is not there.
  if (absl::IsInvalidArgument(status)) return kExitUsage;
  return absl::IsDataLoss(status) ? kExitIo : kExitUnavailable;
}

absl::StatusOr<Operator> ConnectOperator(const Flags& flags) {
  ASSIGN_OR_RETURN(const Target target, TargetOf(flags));
  if (target.address.empty()) {
    return absl::InvalidArgumentError("name the daemon with --target, or set MUSTER_TARGET");
  }
  return Operator::Connect(target.address, {.timeout = absl::Seconds(10)}, target.connection);
}

}  // namespace muster
