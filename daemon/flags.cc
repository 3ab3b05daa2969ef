#include "daemon/flags.h"

#include <algorithm>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/error_detail.h"
#include "base/status_macros.h"
#include "base/version.h"

ABSL_FLAG(
    std::string, listen, "unix:///run/musterd.sock",
    "addresses to listen on, separated by commas, or the flag several times: unix:///path, tcp://127.0.0.1:0 (beyond "
    "loopback only with TLS), "
    "vsock://any:PORT, fd:N for an inherited listening socket, inherited or inherited:NAME for those that systemd has "
    "made (of that name)");
ABSL_FLAG(std::string, instance, "", "name of this daemon's part of the cgroup tree; empty: one of its own");
ABSL_FLAG(std::string, cgroup_root, "",
          "absolute path of a cgroup that is handed to the daemon; empty: its own one if delegated, else the mount");
ABSL_FLAG(std::string, worker_binary, "",
          "the muster-worker to run; empty: beside musterd, in the build tree, or on PATH");
ABSL_FLAG(int, ready_fd, -1, "descriptor that gets a line READY <address> per listener once calls are served");
ABSL_FLAG(bool, die_with_parent, false,
          "end in order when the process that started the daemon has ended; one that has "
          "ended before the daemon looks is noticed with parent_pid, or with ready_fd once calls are served");
ABSL_FLAG(int, parent_pid, 0, "with die_with_parent: pid of the process that starts the daemon; 0: not known");
ABSL_FLAG(bool, allow_exec, false, "let Custom workloads run programs");
ABSL_FLAG(std::string, io_dir, "", "directory for the files of I/O work that names none; empty: /tmp");
ABSL_FLAG(bool, allow_block_devices, false, "let I/O work read and overwrite block devices that its spec names");
ABSL_FLAG(bool, enable_channelz, false, "serve grpc.channelz.v1");
ABSL_FLAG(std::string, tls_cert, "",
          "PEM file of the daemon's certificate; with the next two, every tcp address has TLS and may be beyond "
          "loopback");
ABSL_FLAG(std::string, tls_key, "", "PEM file of that certificate's private key");
ABSL_FLAG(std::string, tls_client_ca, "",
          "PEM file of the authorities of which one has signed each client's certificate");
ABSL_FLAG(bool, vsock_local, false, "accept processes of this machine over vsock, not only its host");
ABSL_FLAG(int, control_priority, 99, "SCHED_FIFO priority of everything that controls load, 1 to 99; 0: leave it");
ABSL_FLAG(int, spawners, 0, "processes that make the workers of a large pool at the same time; 0: one per CPU");
ABSL_FLAG(bool, huge_arenas, true,
          "put the shared memory of workers with many samples into transparent huge pages, where the kernel has them");
ABSL_FLAG(absl::Duration, max_control_run, absl::Seconds(2),
          "longest time for a thread of control without a pause; then it loses its priority");
ABSL_FLAG(absl::Duration, shutdown_timeout, absl::Seconds(30), "for everything between SIGTERM and the exit");

ABSL_FLAG(int64_t, max_spec_bytes, muster::Limits().max_spec_bytes, "largest workload spec");
ABSL_FLAG(int64_t, max_workers, muster::Limits().max_workers, "workers of one pool");
ABSL_FLAG(int64_t, max_total_workers, muster::Limits().max_total_workers, "workers of all pools");
ABSL_FLAG(int64_t, max_pools, muster::Limits().max_pools, "pools at one time");
ABSL_FLAG(int64_t, max_arena_bytes, muster::Limits().max_arena_bytes, "shared memory of one pool");
ABSL_FLAG(int64_t, max_total_arena_bytes, muster::Limits().max_total_arena_bytes, "shared memory of all pools");
ABSL_FLAG(int64_t, max_worker_rt_priority, -1,
          "highest real-time priority of a worker; -1: one below control_priority, or 98 when that is 0");
ABSL_FLAG(absl::Duration, spawn_timeout, muster::Limits().spawn_timeout, "for all workers of a pool to be ready");
ABSL_FLAG(absl::Duration, collect_deadline, muster::Limits().collect_deadline, "for workers to end after a stop");
ABSL_FLAG(absl::Duration, reap_budget, muster::Limits().reap_budget, "for reaping after a kill");
ABSL_FLAG(absl::Duration, report_retention, muster::Limits().report_retention, "how long reports wait to be confirmed");
ABSL_FLAG(int64_t, max_retained_pools, muster::Limits().max_retained_pools, "collected pools that wait at one time");
ABSL_FLAG(int64_t, max_cgroups, 1024, "cgroups that clients have made; as many more of the `cgroups` of pools");
ABSL_FLAG(int64_t, max_leases, muster::LeaseLimits().max_leases, "leases at one time");
ABSL_FLAG(int64_t, max_lease_events, muster::LeaseLimits().max_lease_events, "events that wait for a slow reader");
ABSL_FLAG(absl::Duration, lease_grace, muster::LeaseLimits().grace, "how long a lease waits for a client that is gone");
ABSL_FLAG(absl::Duration, max_lease_grace, muster::LeaseLimits().max_grace, "longest grace that a client may ask for");
ABSL_FLAG(absl::Duration, keepalive_time, muster::RpcServerOptions().keepalive_time,
          "silence after which a peer is asked for a sign of life");
ABSL_FLAG(absl::Duration, keepalive_timeout, muster::RpcServerOptions().keepalive_timeout,
          "how long it has to give one");
ABSL_FLAG(int, max_receive_bytes, muster::RpcServerOptions().max_receive_bytes, "largest message that gRPC takes in");
ABSL_FLAG(int64_t, max_handler_threads, muster::ServiceOptions().max_handler_threads, "calls that run at one time");
ABSL_FLAG(int64_t, max_queued_calls, muster::ServiceOptions().max_queued_calls, "calls that wait for a thread");
ABSL_FLAG(absl::Duration, max_call_time, muster::ServiceOptions().max_call_time, "longest deadline of a call");
ABSL_FLAG(absl::Duration, request_retention, muster::RequestCache::Options().request_retention,
          "how long answers are kept for retries");
ABSL_FLAG(int64_t, max_retained_requests, muster::RequestCache::Options().max_retained_requests,
          "answers that are kept for retries");
ABSL_FLAG(int64_t, max_retained_request_bytes, muster::RequestCache::Options().max_retained_request_bytes,
          "size of the answers that are kept, their ids included");

namespace muster {
namespace {

constexpr absl::string_view kListen = "--listen";

Limits PoolLimits() {
  Limits limits;
  limits.max_spec_bytes = absl::GetFlag(FLAGS_max_spec_bytes);
  limits.max_workers = absl::GetFlag(FLAGS_max_workers);
  limits.max_total_workers = absl::GetFlag(FLAGS_max_total_workers);
  limits.max_pools = absl::GetFlag(FLAGS_max_pools);
  limits.max_arena_bytes = absl::GetFlag(FLAGS_max_arena_bytes);
  limits.max_total_arena_bytes = absl::GetFlag(FLAGS_max_total_arena_bytes);
  const int control = absl::GetFlag(FLAGS_control_priority);
  const int64_t asked = absl::GetFlag(FLAGS_max_worker_rt_priority);
  limits.max_worker_rt_priority = asked >= 0 ? asked : (control > 0 ? control - 1 : limits.max_worker_rt_priority);
  limits.spawn_timeout = absl::GetFlag(FLAGS_spawn_timeout);
  limits.collect_deadline = absl::GetFlag(FLAGS_collect_deadline);
  limits.reap_budget = absl::GetFlag(FLAGS_reap_budget);
  limits.report_retention = absl::GetFlag(FLAGS_report_retention);
  limits.max_retained_pools = absl::GetFlag(FLAGS_max_retained_pools);
  return limits;
}

void ReadServiceFlags(DaemonConfig* config) {
  config->max_cgroups = absl::GetFlag(FLAGS_max_cgroups);
  config->leases = {.grace = absl::GetFlag(FLAGS_lease_grace),
                    .max_grace = absl::GetFlag(FLAGS_max_lease_grace),
                    .max_leases = absl::GetFlag(FLAGS_max_leases),
                    .max_lease_events = absl::GetFlag(FLAGS_max_lease_events)};
  config->rpc = {.keepalive_time = absl::GetFlag(FLAGS_keepalive_time),
                 .keepalive_timeout = absl::GetFlag(FLAGS_keepalive_timeout),
                 .max_receive_bytes = absl::GetFlag(FLAGS_max_receive_bytes),
                 .enable_channelz = absl::GetFlag(FLAGS_enable_channelz)};
  config->service = {.max_handler_threads = absl::GetFlag(FLAGS_max_handler_threads),
                     .max_queued_calls = absl::GetFlag(FLAGS_max_queued_calls),
                     .max_call_time = absl::GetFlag(FLAGS_max_call_time)};
  config->requests = {.request_retention = absl::GetFlag(FLAGS_request_retention),
                      .max_retained_requests = absl::GetFlag(FLAGS_max_retained_requests),
                      .max_retained_request_bytes = absl::GetFlag(FLAGS_max_retained_request_bytes)};
}

DaemonConfig ReadFlags() {
  DaemonConfig config;
  config.listen = absl::StrSplit(absl::GetFlag(FLAGS_listen), ',', absl::SkipEmpty());
  config.instance = absl::GetFlag(FLAGS_instance);
  config.cgroup_root = absl::GetFlag(FLAGS_cgroup_root);
  config.worker_binary = absl::GetFlag(FLAGS_worker_binary);
  config.ready_fd = absl::GetFlag(FLAGS_ready_fd);
  config.die_with_parent = absl::GetFlag(FLAGS_die_with_parent);
  config.parent_pid = absl::GetFlag(FLAGS_parent_pid);
  config.allow_exec = absl::GetFlag(FLAGS_allow_exec);
  config.io_dir = absl::GetFlag(FLAGS_io_dir);
  config.allow_block_devices = absl::GetFlag(FLAGS_allow_block_devices);
  config.tls = {.ca = absl::GetFlag(FLAGS_tls_client_ca),
                .certificate = absl::GetFlag(FLAGS_tls_cert),
                .key = absl::GetFlag(FLAGS_tls_key)};
  config.vsock_local = absl::GetFlag(FLAGS_vsock_local);
  config.control_priority = absl::GetFlag(FLAGS_control_priority);
  config.spawners = absl::GetFlag(FLAGS_spawners);
  config.huge_arenas = absl::GetFlag(FLAGS_huge_arenas);
  config.max_control_run = absl::GetFlag(FLAGS_max_control_run);
  config.shutdown_timeout = absl::GetFlag(FLAGS_shutdown_timeout);
  config.limits = PoolLimits();
  ReadServiceFlags(&config);
  return config;
}

void ConfigureHelp() {
  absl::SetProgramUsageMessage("runs load on this machine for those who connect to it");
  absl::FlagsUsageConfig usage;
  const auto ours = [](absl::string_view file) { return absl::StrContains(file, "daemon/flags"); };
  usage.contains_help_flags = ours;
  usage.contains_helpshort_flags = ours;
  usage.version_string = [] { return absl::StrCat("musterd ", kVersion, "\n"); };
  absl::SetFlagsUsageConfig(usage);
}

// "--max-pools=3" as "--max_pools=3".
std::string WithUnderscores(std::string argument) {
  const size_t end = std::min(argument.find('='), argument.size());
  if (argument.size() > 2) std::replace(argument.begin() + 2, argument.begin() + static_cast<ptrdiff_t>(end), '-', '_');
  return argument;
}

}  // namespace

std::vector<std::string> NormaliseArguments(const std::vector<std::string>& arguments) {
  std::vector<std::string> normal;
  std::vector<std::string> listen;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (i > 0 && argument == kListen && i + 1 < arguments.size()) {
      listen.push_back(arguments[++i]);
    } else if (i > 0 && absl::StartsWith(argument, absl::StrCat(kListen, "="))) {
      listen.push_back(argument.substr(kListen.size() + 1));
    } else {
      normal.push_back(i > 0 && absl::StartsWith(argument, "--") ? WithUnderscores(argument) : argument);
    }
  }
  if (!listen.empty()) normal.insert(normal.begin() + 1, absl::StrCat(kListen, "=", absl::StrJoin(listen, ",")));
  return normal;
}

absl::StatusOr<DaemonConfig> ParseFlags(int argc, char** argv) {
  ConfigureHelp();
  std::vector<std::string> arguments = NormaliseArguments({argv, argv + argc});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  const std::vector<char*> rest = absl::ParseCommandLine(static_cast<int>(pointers.size()), pointers.data());
  if (rest.size() > 1) return absl::InvalidArgumentError(absl::StrCat("musterd takes no argument \"", rest[1], "\""));
  DaemonConfig config = ReadFlags();
  RETURN_IF_ERROR(CheckConfig(config));
  return config;
}

}  // namespace muster
