// What a Pool stands for; shared by its handles and the table.
#ifndef MUSTER_DAEMON_POOL_POOL_CORE_H_
#define MUSTER_DAEMON_POOL_POOL_CORE_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "daemon/pool/pool.h"
#include "daemon/pool/pool_cgroups.h"
#include "daemon/pool/pool_table.h"
#include "daemon/pool/report_builder.h"
#include "daemon/pool/stray_ends.h"
#include "daemon/pool/telemetry_pages.h"
#include "daemon/poolhost/pool_host.h"
#include "worker/arena/arena.h"
#include "worker/arena/gate.h"

namespace muster {

// Ends its pool host and removes its cgroups when destroyed, if Drop has not. Thread-safe.
//
// Locks: mutex_ guards the state and is never held over a wait for the pool host or a call to the listener. A call that
// changes the workers (Place, Start) takes a turn (BeginTurn) first, so that two never overlap.
class PoolCore final : public PoolHostListener, public std::enable_shared_from_this<PoolCore> {
 public:
  struct Identity {
    std::string id;
    PoolLabels labels;
    ResolvedSpec resolved;
    std::vector<arena::WorkerShape> shapes;
  };

  // Called with no lock held.
  struct Hooks {
    // The pool has become COLLECTED.
    std::function<void()> collected;
    PoolCgroups::OnLeft cgroup_left;
  };

  // `environment` outlives it.
  PoolCore(Identity identity, const PoolEnvironment* environment, Hooks hooks);
  ~PoolCore() override;

  // Makes the workers; returns when they are at the gate. Called once. After an error the pool is DROPPED and nothing
  // is left.
  absl::Status Spawn(Deadline deadline);

  absl::StatusOr<std::vector<PlaceOutcome>> Place(const PlaceTarget& target, Deadline deadline);
  static absl::StatusOr<StartResult> StartAll(std::vector<std::shared_ptr<PoolCore>> pools, Deadline deadline);
  // A pool that was collected and then dropped still answers with its final totals, for watches that are a little
  // behind.
  absl::StatusOr<PoolSnapshot> Snapshot();
  absl::Status Stop(Deadline deadline);
  absl::Status Collect(const CollectOptions& options, ReportSink* sink, Deadline deadline);
  absl::Status FillReport(uint32_t worker, bool without_samples, v1::WorkerReport* report);
  absl::StatusOr<SamplesInPlace> FillReportAroundSamples(uint32_t worker, v1::WorkerReport* report);
  absl::StatusOr<v1::PoolSummary> Summary();
  // Returns when nothing of it is left. False: somebody else has dropped it, or does, and is waited for until the
  // deadline.
  bool Drop(Deadline deadline);
  // Drop has done its work.
  bool is_gone() const;

  const std::string& id() const { return identity_.id; }
  const ResolvedSpec& resolved() const { return identity_.resolved; }
  const std::vector<arena::WorkerShape>& shapes() const { return identity_.shapes; }
  PoolState state() const;
  PoolLabels labels() const;
  void ForgetLease();
  pid_t host_pid() const { return host_pid_.load(std::memory_order_relaxed); }
  std::vector<WorkerInfo> Workers() const;
  PoolInfo Info() const;
  // When it became COLLECTED; 0 before.
  uint64_t collected_at_ns() const;

  // A worker of a dead pool host was reaped by musterd. False: it is none of this pool's.
  bool RecordStray(pid_t pid, const ProcessEnd& end);

  // PoolHostListener.
  void OnWorkerDied(uint32_t worker) override;
  void OnHostEnded(const std::string& error) override;

 private:
  class Turn;

  absl::Status Make(Deadline deadline);
  // Whether making it still makes sense.
  absl::Status MayGoOn(Deadline deadline) const;
  control::Request PlanRequest() const;
  absl::Status MapTelemetry();
  absl::StatusOr<control::Request> PlaceRequest(const PlaceTarget& target, bool at_gate,
                                                std::vector<UniqueFd>* dirs) const;
  absl::Status BeginTurn(Deadline deadline);
  void EndTurn();
  absl::Status WrongState(PoolState state, const char* call, const char* needs) const;
  void Release(uint64_t now_ns, uint64_t vmstat_plus_one) const;
  void SendStop();
  void OnStopped(const absl::StatusOr<control::Reply>& reply);
  void MoveTo(PoolState to) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Collected: all workers have ended. `host_error` is empty unless the pool host was lost.
  void BecomeCollected(const std::string& host_error, uint64_t host_cpu_ns);
  // After a start that only serves a stop: lets each worker do something first, for a bounded time.
  void AwaitFirstIterations(Deadline deadline);
  bool HasDoneSomething(uint32_t worker) const;
  // CPU time of control from now on is the pool's.
  void StartControlClocks();
  // Waits until Spawn's thread no longer makes anything. False: it still does.
  bool AwaitMade(Deadline deadline);
  // A bounded wait for the ends of the workers that a lost pool host left to musterd.
  void AwaitStrays();
  absl::Status CheckHasReport(uint32_t worker) const;
  ReportContext ContextOfReports();
  arena::Gate gate() const { return {arena_.gate(), arena_.num_workers()}; }

  const Identity identity_;
  const PoolEnvironment& environment_;
  const std::function<void()> pool_collected_;
  const uint64_t made_at_ns_;
  PoolCgroups cgroups_;
  arena::Arena arena_;
  TelemetryPages telemetry_;
  std::atomic<pid_t> host_pid_{-1};
  // Set by Spawn, before anyone else sees the pool ready. Destroyed before what its calls use.
  std::unique_ptr<PoolHost> host_;

  mutable Mutex mutex_;
  CondVar changed_;
  PoolState state_ ABSL_GUARDED_BY(mutex_) = PoolState::kSpawning;
  PoolLabels labels_ ABSL_GUARDED_BY(mutex_);
  bool turn_taken_ ABSL_GUARDED_BY(mutex_) = false;
  bool making_ ABSL_GUARDED_BY(mutex_) = false;
  bool host_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool dropping_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  uint32_t dead_workers_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t drain_bound_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t collected_at_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  // Of control: when the clocks were started, and used since then.
  uint64_t host_cpu_before_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t daemon_cpu_before_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t host_cpu_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t daemon_cpu_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string host_error_ ABSL_GUARDED_BY(mutex_);
  StrayEnds strays_ ABSL_GUARDED_BY(mutex_);

  // Highest counters that a snapshot has shown.
  Mutex shown_mutex_;
  std::vector<uint64_t> shown_iterations_ ABSL_GUARDED_BY(shown_mutex_);
  std::vector<uint64_t> shown_units_ ABSL_GUARDED_BY(shown_mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_POOL_CORE_H_
