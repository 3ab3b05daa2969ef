// One pool: the workers of one Spawn, through all its states.
#ifndef MUSTER_DAEMON_POOL_POOL_H_
#define MUSTER_DAEMON_POOL_POOL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "daemon/pool/pool_types.h"
#include "muster/v1/report.pb.h"
#include "muster/v1/workload.pb.h"

namespace muster {

class PoolCore;  // the implementation

// A handle that shares one pool; copies are the same pool, which lives in its PoolTable until dropped. Thread-safe.
// Once the pool has been dropped every call answers NOT_FOUND. Errors that a wrong order causes are FAILED_PRECONDITION
// and name the state and the states that the call needs.
class Pool {
 public:
  const std::string& id() const;
  PoolState state() const;
  const v1::WorkloadSpec& resolved_spec() const;
  uint32_t num_workers() const;
  std::vector<WorkerInfo> Workers() const;
  pid_t host_pid() const;
  PoolInfo Info() const;

  PoolLabels labels() const;
  // The lease of a detached pool has ended.
  void ForgetLease();

  // Moves workers to a cgroup or pins them, READY or STARTED; in READY they run their setup again. One outcome per
  // worker asked for, in that order. INVALID_ARGUMENT: no such worker, bad CPUs; NOT_FOUND: no such cgroup;
  // FAILED_PRECONDITION: part of a process by process, threads to a cgroup that is not THREADED; UNAVAILABLE: the pool
  // host is gone.
  absl::StatusOr<std::vector<PlaceOutcome>> Place(const PlaceTarget& target, Deadline deadline);

  // Releases all workers of all pools at the same instant. Pools that have been started already are left alone and say
  // so. FAILED_PRECONDITION: one of them has been stopped; then none is released. Waits, within the deadline, for a
  // Place that is under way in one of them.
  static absl::StatusOr<StartResult> StartAll(const std::vector<Pool>& pools, Deadline deadline);

  // Counters of all workers, in any state from READY on, and of a collected pool also after it was dropped; zeros
  // before Start. A counter never goes back from one snapshot to the next, and a report's is never below the last
  // snapshot's, but for sentinels.
  absl::StatusOr<PoolSnapshot> Snapshot() const;

  // Starts the pool if it never was, stops it, and returns when every worker has ended. The stop goes on when the
  // deadline passes first (DEADLINE_EXCEEDED), and a later call waits for the same one. In COLLECTED it returns at
  // once.
  absl::Status Stop(Deadline deadline);

  // Stop, then every report from options.from_worker on, then the summary. May be called again, and by several threads
  // at a time. OUT_OF_RANGE: from_worker is above the pool's workers; CANCELLED: the sink wanted no more.
  absl::Status Collect(const CollectOptions& options, ReportSink* sink, Deadline deadline);

  // For callers who pull: one report, and the summary. COLLECTED only.
  absl::Status FillReport(uint32_t worker, bool without_samples, v1::WorkerReport* report) const;
  absl::StatusOr<v1::PoolSummary> Summary() const;

  // Likewise, but samples that can change no more are left where they are: they are in the result then, and not in
  // `report`. Those of a sentinel, and of a worker that may still write, are in `report`.
  absl::StatusOr<SamplesInPlace> FillReportAroundSamples(uint32_t worker, v1::WorkerReport* report) const;

  friend bool operator==(const Pool& a, const Pool& b) { return a.core_ == b.core_; }

 private:
  friend class PoolCore;
  friend class PoolTable;
  explicit Pool(std::shared_ptr<PoolCore> core) : core_(std::move(core)) {}

  std::shared_ptr<PoolCore> core_;
};

// What pools tell without being asked. Called on a pool's own thread, no lock held; must not block and must not drop
// the pool.
class PoolListener {
 public:
  virtual ~PoolListener() = default;
  // A worker ended before it was asked to.
  virtual void OnWorkerDied(const Pool& pool, uint32_t worker, const v1::ExitInfo& exit_info) = 0;
  // The pool host is gone: `error` says how, and is empty when the pool was dropped.
  virtual void OnPoolEnded(const Pool& pool, absl::string_view error) = 0;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_POOL_H_
