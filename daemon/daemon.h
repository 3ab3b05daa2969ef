// musterd's parts, put together.
#ifndef MUSTER_DAEMON_DAEMON_H_
#define MUSTER_DAEMON_DAEMON_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "base/timer_queue.h"
#include "daemon/cgroup/cgroup_manager.h"
#include "daemon/cgroup/instance.h"
#include "daemon/config.h"
#include "daemon/janitor/janitor.h"
#include "daemon/lease/cgroup_owners.h"
#include "daemon/lease/detached_pools.h"
#include "daemon/lease/lease_keeper.h"
#include "daemon/lease/lease_property.h"
#include "daemon/lease/lease_table.h"
#include "daemon/listen/acceptor.h"
#include "daemon/listen/peer_table.h"
#include "daemon/pool/catalogue.h"
#include "daemon/pool/instance_cgroups.h"
#include "daemon/pool/pool_table.h"
#include "daemon/poolhost/stray_reaper.h"
#include "daemon/poolhost/worker_binary_launcher.h"
#include "daemon/service/muster_service.h"
#include "daemon/service/pool_events.h"
#include "daemon/service/rpc_server.h"
#include "daemon/service/service_parts.h"
#include "daemon/systemd/service_manager.h"
#include "worker/arena/huge_files.h"

namespace muster {

// Owns everything that musterd has made: processes, cgroups, sockets, threads. The destructor does what Shutdown does,
// within the configured time. One per process.
class Daemon {
 public:
  // Made while the process has one thread, whose signal mask and scheduling policy all later ones inherit. Serves when
  // it returns. Of the sockets of a service manager it takes those that config.listen speaks of, and closes the others.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(const DaemonConfig& config,
                                                       std::vector<InheritedSocket> inherited = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Where it listens, with real ports.
  std::vector<std::string> Addresses() const;

  // Says NOT_SERVING, hangs up the listeners, drops every pool, ends every lease, ends every call, and removes the
  // instance's cgroups. Returns what could not be done; the rest is done all the same.
  absl::Status Shutdown(Deadline deadline);

  // Calls the daemon as a client does: over a connection, through gRPC and a handler. OK when it has answered. Any
  // thread, before Shutdown.
  absl::Status Probe(Deadline deadline);

  // For poll(2): readable when the janitor has died, which nobody asked for.
  int janitor_fd() const { return janitor_->pidfd(); }
  // Starts another one.
  absl::Status ReplaceJanitor();

 private:
  // Keeps what strangers' deaths say of a pool's workers.
  class StrayEvents;

  Daemon(const DaemonConfig& config, std::string worker_binary);

  // The steps of Start, in this order.
  absl::Status EnterInstance();
  absl::Status StartHelpers();
  void FindHugePages();
  absl::Status MakeTables();
  absl::Status Serve();
  absl::StatusOr<std::vector<Listener>> OpenListeners(const std::string& text);
  absl::StatusOr<std::vector<Listener>> AdoptInherited(absl::string_view name);
  absl::Status Listen(const std::string& text);
  // On an acceptor's thread.
  void Admit(AcceptedSocket socket);

  const DaemonConfig config_;
  const std::string worker_binary_;
  // Those that nobody listens on yet.
  std::vector<InheritedSocket> inherited_;
  // Destroyed from the last to the first.
  std::unique_ptr<Instance> instance_;
  std::optional<Janitor> janitor_;
  std::optional<Catalogue> catalogue_;
  std::unique_ptr<StrayReaper> reaper_;
  std::optional<WorkerBinaryLauncher> launcher_;
  Topology topology_;
  std::optional<CgroupManager> cgroups_;
  std::optional<CgroupDir> workload_;
  std::optional<InstanceCgroups> pool_cgroups_;
  std::unique_ptr<TimerQueue> timers_;
  LeaseTable leases_;
  WatchHub watches_;
  PoolEvents pool_events_;
  std::optional<arena::HugeFiles> huge_files_;
  std::unique_ptr<PoolTable> pools_;
  std::unique_ptr<StrayEvents> stray_events_;
  CgroupOwners cgroup_owners_;
  DetachedPools detached_;
  RequestCache requests_;
  std::optional<LeaseProperty> property_;
  std::optional<LeaseKeeper> keeper_;
  v1::GetServerInfoResponse info_;
  PeerTable peers_;
  ServiceParts parts_;
  std::optional<MusterService> service_;
  std::unique_ptr<RpcServer> server_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  bool shut_down_ = false;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_DAEMON_H_
