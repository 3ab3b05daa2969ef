// A pool of workers that this program owns.
#ifndef MUSTER_CLIENT_WORKLOAD_HANDLE_H_
#define MUSTER_CLIENT_WORKLOAD_HANDLE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/cpu_set.h"
#include "client/call_options.h"
#include "client/remote_pool.h"
#include "client/session.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// What a workload leaves.
struct CollectedReports {
  // One per worker, in worker order.
  std::vector<v1::WorkerReport> reports;
  v1::PoolSummary summary;
};

// Owns a pool: the destructor drops it, which kills and reaps its workers, and takes at most ten seconds. Comes from
// Client::Spawn; the workers wait at their gate until Start. Move-only; a moved-from handle owns nothing, and only
// destroying it or assigning to it is allowed. Calls may come from several threads at once, except those that use the
// handle up.
class [[nodiscard]] WorkloadHandle {
 public:
  WorkloadHandle(WorkloadHandle&&) noexcept = default;
  WorkloadHandle& operator=(WorkloadHandle&& other) noexcept;
  ~WorkloadHandle();

  const std::string& pool_id() const { return pool_->id(); }
  // The spec with defaults filled in and CPU sets made concrete.
  const v1::WorkloadSpec& resolved_spec() const { return spawned_.resolved_spec(); }
  // In worker order; process and thread ids are the guest's.
  const google::protobuf::RepeatedPtrField<v1::WorkerInfo>& workers() const { return spawned_.workers(); }

  // The task of each worker, in worker order: thread ids, which for fork workers are process ids too. A pcomm pool is
  // one process, and has one entry.
  std::vector<pid_t> WorkerPids() const;

  // The same for writing to cgroup.procs, which takes whole processes. FAILED_PRECONDITION for thread workers: the
  // kernel would move the process with all its threads; it points at PlaceThreads.
  absl::StatusOr<std::vector<pid_t>> WorkerPidsForCgroupProcs() const;

  // Moves workers (none named: all) to a cgroup: by process, except threads that go to a THREADED one. The error names
  // the workers that did not get there.
  absl::Status Place(absl::string_view cgroup, const std::vector<uint32_t>& workers = {}, CallOptions options = {});

  // Moves threads (none named: all) to a THREADED cgroup of the pool's own domain.
  absl::Status PlaceThreads(absl::string_view cgroup, const std::vector<uint32_t>& workers = {},
                            CallOptions options = {});

  // Pins one worker, before or after Start. OUT_OF_RANGE: no such worker.
  absl::Status SetAffinity(uint32_t worker, const CpuSet& cpus, CallOptions options = {});

  // Releases all workers at once. Again: succeeds and does nothing.
  absl::Status Start(CallOptions options = {});

  // Releases all workers of several pools of one client at once, and says when. At least one handle.
  static absl::StatusOr<v1::StartResponse> StartAll(absl::Span<WorkloadHandle* const> handles,
                                                    CallOptions options = {});

  // Iterations of each worker so far, in worker order; stops nothing.
  absl::StatusOr<std::vector<uint64_t>> SnapshotIterations(CallOptions options = {}) const;

  // All counters and states.
  absl::StatusOr<v1::SnapshotResponse> Snapshot(CallOptions options = {}) const;

  // Calls `on_update` on this thread with what happened in each period, until the pool ends, the timeout passes
  // (DEADLINE_EXCEEDED), or `on_update` returns false (OK).
  absl::Status Watch(absl::Duration period, const std::function<bool(const v1::WatchUpdate&)>& on_update,
                     CallOptions options) const;

  // The same for a reader that another thread can cancel. It must not outlive the client's lease.
  std::unique_ptr<Watcher> OpenWatch(absl::Duration period, CallOptions options) const;

  // Starts the workers if that was never done, stops them, and takes their reports; the pool is gone afterwards, also
  // when it fails. One report per worker, always: a worker that could not tell has a sentinel.
  absl::StatusOr<CollectedReports> StopAndCollect(CollectOptions options = {}) &&;

  // The same with one report in memory at a time: calls `on_report` with each, in worker order.
  absl::StatusOr<v1::PoolSummary> StopAndCollect(const ReportCallback& on_report, CollectOptions options = {}) &&;

  // Kills the workers and forgets the pool, as the destructor does, and tells whether that worked.
  absl::Status Drop(CallOptions options = {}) &&;

  // The pool by its id: calls on it may still be made when the handle has been used up. Owns nothing.
  RemotePool remote() const { return *pool_; }

  // Gives the pool away and returns its id; it lives on until its lease ends, a detached one until somebody drops it.
  std::string Release() &&;

 private:
  friend class Client;

  WorkloadHandle(std::shared_ptr<Session> session, v1::SpawnResponse spawned, bool detached);

  absl::Status PlaceBy(v1::PlaceUnit unit, absl::string_view cgroup, const std::vector<uint32_t>& workers,
                       CallOptions options) const;
  // Why calls cannot work any more. A detached pool outlives its lease, and heeds who still knows its secret.
  absl::Status CheckLease() const { return detached_ ? absl::OkStatus() : session_->lease->status(); }
  // Drops the pool if there is one; logs what it could not do.
  void DropQuietly() noexcept;

  std::shared_ptr<Session> session_;
  // Null when moved from, collected, dropped or released.
  std::unique_ptr<RemotePool> pool_;
  v1::SpawnResponse spawned_;
  bool detached_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_WORKLOAD_HANDLE_H_
