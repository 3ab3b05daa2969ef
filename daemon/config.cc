#include "daemon/config.h"

#include <errno.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr int64_t kMaxPriority = 99;
constexpr int64_t kMaxSpawners = 256;

int64_t Ms(absl::Duration duration) { return absl::ToInt64Milliseconds(duration); }

absl::Status CheckRange(absl::string_view flag, int64_t value, int64_t max) {
  if (value >= 0 && value <= max) return absl::OkStatus();
  return FieldError(flag, absl::StrCat("is ", value, "; must be 0 to ", max));
}

absl::Status CheckIoDirectory(const std::string& directory) {
  if (directory.empty()) return absl::OkStatus();
  if (directory[0] != '/') return FieldError("io_dir", absl::StrCat(directory, " is not an absolute path"));
  struct stat status;
  if (stat(directory.c_str(), &status) != 0) {
    return FieldError("io_dir", ErrnoStatus(errno, absl::StrCat("look at ", directory)).message());
  }
  if (!S_ISDIR(status.st_mode)) return FieldError("io_dir", absl::StrCat(directory, " is not a directory"));
  return absl::OkStatus();
}

absl::Status CheckTls(const TlsFiles& tls) {
  const int given = !tls.ca.empty() + !tls.certificate.empty() + !tls.key.empty();
  if (given == 0 || given == 3) return absl::OkStatus();
  const absl::string_view missing = tls.certificate.empty() ? "tls_cert"
                                    : tls.key.empty()       ? "tls_key"
                                                            : "tls_client_ca";
  return FieldError(missing, "is missing; TLS takes tls_cert, tls_key and tls_client_ca together");
}

}  // namespace

std::vector<NamedLimit> AllLimits(const DaemonConfig& config) {
  std::vector<NamedLimit> limits = NamedLimits(config.limits);
  const std::vector<NamedLimit> ours = {
      {"max_cgroups", config.max_cgroups, "cgroups"},
      {"max_leases", config.leases.max_leases, "leases"},
      {"max_lease_events", config.leases.max_lease_events, "events"},
      {"lease_grace", Ms(config.leases.grace), "ms"},
      {"max_lease_grace", Ms(config.leases.max_grace), "ms"},
      {"keepalive_time", Ms(config.rpc.keepalive_time), "ms"},
      {"keepalive_timeout", Ms(config.rpc.keepalive_timeout), "ms"},
      {"max_receive_bytes", config.rpc.max_receive_bytes, "bytes"},
      {"max_handler_threads", config.service.max_handler_threads, "threads"},
      {"max_queued_calls", config.service.max_queued_calls, "calls"},
      {"max_call_time", Ms(config.service.max_call_time), "ms"},
      {"request_retention", Ms(config.requests.request_retention), "ms"},
      {"max_retained_requests", config.requests.max_retained_requests, "requests"},
      {"max_retained_request_bytes", config.requests.max_retained_request_bytes, "bytes"},
      {"max_control_run", Ms(config.max_control_run), "ms"},
      {"shutdown_timeout", Ms(config.shutdown_timeout), "ms"},
  };
  limits.insert(limits.end(), ours.begin(), ours.end());
  return limits;
}

absl::Status CheckConfig(const DaemonConfig& config) {
  if (config.listen.empty()) return FieldError("listen", "names no address; give one, as unix:///run/musterd.sock");
  RETURN_IF_ERROR(CheckTls(config.tls));
  if (config.parent_pid < 0) return FieldError("parent_pid", absl::StrCat(config.parent_pid, " is no process's"));
  if (config.parent_pid > 0 && !config.die_with_parent) {
    return FieldError("parent_pid", "is of use with die_with_parent only");
  }
  RETURN_IF_ERROR(CheckRange("control_priority", config.control_priority, kMaxPriority));
  RETURN_IF_ERROR(CheckRange("spawners", config.spawners, kMaxSpawners));
  const int64_t max_worker = config.control_priority > 0 ? config.control_priority - 1 : kMaxPriority - 1;
  RETURN_IF_ERROR(CheckRange("max_worker_rt_priority", config.limits.max_worker_rt_priority, max_worker));
  for (const NamedLimit& limit : AllLimits(config)) {
    // No grace at all is a choice, and no real-time priority for workers too.
    const bool may_be_zero = limit.unit == "priority" || limit.name == "lease_grace" || limit.name == "max_lease_grace";
    if (limit.value < (may_be_zero ? 0 : 1)) {
      return FieldError(limit.name, absl::StrCat("is ", limit.value, " ", limit.unit, ", which is too little"));
    }
  }
  if (config.leases.grace > config.leases.max_grace) return FieldError("lease_grace", "is above max_lease_grace");
  return CheckIoDirectory(config.io_dir);
}

}  // namespace muster
