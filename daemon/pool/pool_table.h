// All pools of the daemon.
#ifndef MUSTER_DAEMON_POOL_POOL_TABLE_H_
#define MUSTER_DAEMON_POOL_POOL_TABLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/deadline.h"
#include "base/pidfd.h"
#include "daemon/pool/catalogue.h"
#include "daemon/pool/cgroup_provider.h"
#include "daemon/pool/pool.h"
#include "daemon/poolhost/host_launcher.h"
#include "daemon/spec/limits.h"
#include "daemon/spec/topology.h"
#include "worker/arena/huge_files.h"

namespace muster {

// What pools need of the daemon. The pointers outlive the table.
struct PoolEnvironment {
  Limits limits;
  Topology topology;
  const Catalogue* catalogue = nullptr;
  CgroupProvider* cgroups = nullptr;
  HostLauncher* launcher = nullptr;
  PoolListener* listener = nullptr;  // may be null
  // Custom programs may run.
  bool allow_exec = false;
  // Where large arenas lie; null: they are memfds, as small ones are.
  const arena::HugeFiles* huge_files = nullptr;
  // Cgroups that the specs of all pools ask for.
  int64_t max_cgroups = 1024;
  // SCHED_FIFO priority of the pool hosts; 0: leave it.
  uint32_t control_priority = 0;
  // Processes that make the workers of a large pool at the same time; 0: one per CPU.
  uint32_t spawners = 0;
};

// Drops every pool when destroyed, within the reap budgets. Thread-safe.
class PoolTable {
 public:
  // RESOURCE_EXHAUSTED: no room for the thread that drops what nobody has confirmed.
  static absl::StatusOr<std::unique_ptr<PoolTable>> Start(PoolEnvironment environment);
  PoolTable(const PoolTable&) = delete;
  PoolTable& operator=(const PoolTable&) = delete;
  ~PoolTable();

  // Validates, resolves, and makes a pool whose workers wait at the gate. Nothing is left of one that fails. Errors of
  // the spec as of Validate and Resolve; RESOURCE_EXHAUSTED: a limit of limits.h; UNAVAILABLE: the table is being
  // closed.
  absl::StatusOr<Pool> Spawn(const v1::WorkloadSpec& spec, const PoolLabels& labels, Deadline deadline);

  // NOT_FOUND: there is none, or it has been confirmed or dropped.
  absl::StatusOr<Pool> Find(absl::string_view id) const;

  // Forgets a collected pool. FAILED_PRECONDITION: not collected yet; NOT_FOUND: the id was never given out; OK for one
  // that is gone already.
  absl::Status Confirm(absl::string_view id, Deadline deadline);

  // Kills, reaps, removes the pool's cgroups, forgets, whatever its state. False: there was none. What could not be
  // done in time is logged.
  bool Drop(absl::string_view id, Deadline deadline);

  // Drops all pools with this lease that are not detached, at the same time; detached ones forget the lease. Returns
  // how many were dropped.
  int DropLease(absl::string_view lease_id, Deadline deadline);

  // Every pool, those being spawned included, oldest first.
  std::vector<PoolInfo> List() const;

  // Refuses further Spawns and drops every pool, all at the same time.
  void Close(Deadline deadline);

  // A process that nobody owned was reaped: when it was a worker of a pool whose host is dead, this is how it ended.
  void RecordStray(pid_t pid, const ProcessEnd& end);

 private:
  class Impl;
  explicit PoolTable(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_POOL_TABLE_H_
