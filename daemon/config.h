// What a daemon is told when it starts.
#ifndef MUSTER_DAEMON_CONFIG_H_
#define MUSTER_DAEMON_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/tls_files.h"
#include "daemon/lease/lease_table.h"
#include "daemon/service/muster_service.h"
#include "daemon/service/request_cache.h"
#include "daemon/service/rpc_server.h"
#include "daemon/spec/limits.h"

namespace muster {

struct DaemonConfig {
  // Addresses as of base/address.h, or "fd:N" for a listening socket that was inherited.
  std::vector<std::string> listen;
  // Empty: the daemon chooses.
  std::string instance;
  std::string cgroup_root;
  std::string worker_binary;
  // Where a line "READY <address>" is written per listener; -1: nowhere.
  int ready_fd = -1;
  bool die_with_parent = false;
  // Of the process that starts the daemon; 0: not known.
  int parent_pid = 0;
  bool allow_exec = false;
  // For the files of I/O work; empty: /tmp.
  std::string io_dir;
  // Block devices that a spec names may be read and written.
  bool allow_block_devices = false;
  bool vsock_local = false;
  // All three, or none: then there is no TLS.
  TlsFiles tls;
  // SCHED_FIFO priority; 0: leave it.
  int control_priority = 99;
  // Processes that make the workers of a large pool at the same time; 0: one per CPU.
  int spawners = 0;
  // Arenas of workers with large parts lie in huge pages, where the kernel has them.
  bool huge_arenas = true;
  // Longest time that a thread of control may run without a pause at that priority.
  absl::Duration max_control_run;
  // For everything between SIGTERM and the exit.
  absl::Duration shutdown_timeout;

  bool has_tls() const { return !tls.certificate.empty(); }

  Limits limits;
  LeaseLimits leases;
  int64_t max_cgroups = 0;
  RequestCache::Options requests;
  ServiceOptions service;
  RpcServerOptions rpc;
};

// Every limit by its flag's name, for GetServerInfo.
std::vector<NamedLimit> AllLimits(const DaemonConfig& config);

// INVALID_ARGUMENT names the flag: TLS by halves, a limit below 1, a priority out of range, times that contradict each
// other.
absl::Status CheckConfig(const DaemonConfig& config);

}  // namespace muster

#endif  // MUSTER_DAEMON_CONFIG_H_
