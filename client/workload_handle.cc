#include "client/workload_handle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "client/request_id.h"

namespace muster {
namespace {

constexpr CallOptions kDropOptions = {.timeout = absl::Seconds(10)};
// Failed workers that an error message names; it counts the others.
constexpr int kNamedWorkers = 4;

// OK, or an error that names the workers that are not where they should be.
absl::Status FromOutcomes(const v1::PlaceResponse& response, absl::string_view what) {
  std::string text;
  int failed = 0;
  for (const v1::PlaceOutcome& outcome : response.outcomes()) {
    if (outcome.error().empty()) continue;
    if (++failed <= kNamedWorkers) absl::StrAppend(&text, "; worker ", outcome.worker_index(), ": ", outcome.error());
  }
  if (failed == 0) return absl::OkStatus();
  if (failed > kNamedWorkers) absl::StrAppend(&text, "; and ", failed - kNamedWorkers, " more");
  return absl::FailedPreconditionError(
      absl::StrCat(what, ": ", failed, " of ", response.outcomes_size(), " workers failed", text));
}

// A collection that failed, with what it brought.
absl::Status CutShort(const absl::Status& why, int came, int workers) {
  if (came == 0) return why;
  absl::Status status(why.code(), absl::StrCat(why.message(), "; ", came, " of ", workers, " reports had come"));
  why.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) { status.SetPayload(type, payload); });
  return status;
}

}  // namespace

WorkloadHandle::WorkloadHandle(std::shared_ptr<Session> session, v1::SpawnResponse spawned, bool detached)
    : session_(std::move(session)),
      pool_(std::make_unique<RemotePool>(session_->connection, session_->lease->authority(), spawned.pool_id())),
      spawned_(std::move(spawned)),
      detached_(detached) {}

WorkloadHandle& WorkloadHandle::operator=(WorkloadHandle&& other) noexcept {
  if (this == &other) return *this;
  DropQuietly();
  session_ = std::move(other.session_);
  pool_ = std::move(other.pool_);
  spawned_ = std::move(other.spawned_);
  detached_ = other.detached_;
  return *this;
}

WorkloadHandle::~WorkloadHandle() { DropQuietly(); }

void WorkloadHandle::DropQuietly() noexcept {
  if (pool_ == nullptr) return;
  // A lost lease took the pool along; not a detached one.
  if (!CheckLease().ok()) return;
  const absl::Status status = pool_->Drop(kDropOptions).status();
  if (!status.ok()) LogWarning(absl::StrCat("a handle could not drop its pool: ", status.message()));
}

std::vector<pid_t> WorkloadHandle::WorkerPids() const {
  if (resolved_spec().has_pcomm() && !workers().empty()) return {workers().Get(0).pid()};
  std::vector<pid_t> pids;
  for (const v1::WorkerInfo& worker : workers()) pids.push_back(worker.tid());
  return pids;
}

absl::StatusOr<std::vector<pid_t>> WorkloadHandle::WorkerPidsForCgroupProcs() const {
  if (resolved_spec().clone_mode() == v1::THREAD && !resolved_spec().has_pcomm()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the workers of pool ", pool_id(),
                     " are threads of one process, and cgroup.procs takes whole processes; use PlaceThreads, which "
                     "writes to cgroup.threads"));
  }
  return WorkerPids();
}

absl::Status WorkloadHandle::PlaceBy(v1::PlaceUnit unit, absl::string_view cgroup, const std::vector<uint32_t>& workers,
                                     CallOptions options) const {
  RETURN_IF_ERROR(CheckLease());
  v1::PlaceRequest request;
  request.set_cgroup(std::string(cgroup));
  request.set_unit(unit);
  request.mutable_workers()->Add(workers.begin(), workers.end());
  ASSIGN_OR_RETURN(const v1::PlaceResponse response, pool_->Place(std::move(request), options));
  return FromOutcomes(response, absl::StrCat("placement of pool ", pool_id(), " in ", cgroup));
}

absl::Status WorkloadHandle::Place(absl::string_view cgroup, const std::vector<uint32_t>& workers,
                                   CallOptions options) {
  return PlaceBy(v1::PLACE_UNIT_UNSPECIFIED, cgroup, workers, options);
}

absl::Status WorkloadHandle::PlaceThreads(absl::string_view cgroup, const std::vector<uint32_t>& workers,
                                          CallOptions options) {
  return PlaceBy(v1::THREAD_UNIT, cgroup, workers, options);
}

absl::Status WorkloadHandle::SetAffinity(uint32_t worker, const CpuSet& cpus, CallOptions options) {
  RETURN_IF_ERROR(CheckLease());
  if (worker >= static_cast<uint32_t>(workers().size())) {
    return absl::OutOfRangeError(
        absl::StrCat("pool ", pool_id(), " has no worker ", worker, "; it has ", workers().size()));
  }
  if (cpus.empty()) return absl::InvalidArgumentError("affinity to an empty set of CPUs; name at least one");
  v1::PlaceRequest request;
  request.add_workers(worker);
  request.set_cpus(cpus.ToString());
  ASSIGN_OR_RETURN(const v1::PlaceResponse response, pool_->Place(std::move(request), options));
  return FromOutcomes(response, absl::StrCat("affinity of pool ", pool_id(), " to CPUs ", cpus.ToString()));
}

absl::Status WorkloadHandle::Start(CallOptions options) {
  RETURN_IF_ERROR(CheckLease());
  return pool_->Start(options);
}

absl::StatusOr<v1::StartResponse> WorkloadHandle::StartAll(absl::Span<WorkloadHandle* const> handles,
                                                           CallOptions options) {
  if (handles.empty()) return absl::InvalidArgumentError("start of no pool; name at least one");
  const Session& session = *handles[0]->session_;
  v1::StartRequest request;
  request.set_request_id(NewRequestId());
  *request.mutable_authority() = session.lease->authority();
  for (const WorkloadHandle* handle : handles) {
    if (handle->session_.get() != &session) {
      return absl::InvalidArgumentError("start of pools of several clients; they cannot be released together");
    }
    RETURN_IF_ERROR(handle->CheckLease());
    request.add_pool_ids(handle->pool_id());
  }
  return session.connection->Call(&Connection::Stub::Start, request, options.deadline(),
                                  absl::StrCat("start of ", handles.size(), " pools"));
}

absl::StatusOr<std::vector<uint64_t>> WorkloadHandle::SnapshotIterations(CallOptions options) const {
  ASSIGN_OR_RETURN(const v1::SnapshotResponse snapshot, Snapshot(options));
  return std::vector<uint64_t>(snapshot.iterations().begin(), snapshot.iterations().end());
}

absl::StatusOr<v1::SnapshotResponse> WorkloadHandle::Snapshot(CallOptions options) const {
  RETURN_IF_ERROR(CheckLease());
  return pool_->Snapshot(options);
}

std::unique_ptr<Watcher> WorkloadHandle::OpenWatch(absl::Duration period, CallOptions options) const {
  return pool_->Watch(period, options);
}

absl::Status WorkloadHandle::Watch(absl::Duration period, const std::function<bool(const v1::WatchUpdate&)>& on_update,
                                   CallOptions options) const {
  const std::unique_ptr<Watcher> watcher = OpenWatch(period, options);
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<v1::WatchUpdate> update, watcher->Next());
    if (!update.has_value() || !on_update(*update)) return absl::OkStatus();
  }
}

absl::StatusOr<CollectedReports> WorkloadHandle::StopAndCollect(CollectOptions options) && {
  CollectedReports collected;
  collected.reports.reserve(workers().size());
  ASSIGN_OR_RETURN(collected.summary,
                   std::move(*this).StopAndCollect(
                       [&](v1::WorkerReport&& report) { collected.reports.push_back(std::move(report)); }, options));
  return collected;
}

absl::StatusOr<v1::PoolSummary> WorkloadHandle::StopAndCollect(const ReportCallback& on_report,
                                                               CollectOptions options) && {
  // Drops the pool on every way out but the good one.
  WorkloadHandle consumed = std::move(*this);
  RETURN_IF_ERROR(consumed.CheckLease());
  int came = 0;
  const absl::StatusOr<v1::PoolSummary> summary = consumed.pool_->Collect(options, [&](v1::WorkerReport&& report) {
    ++came;
    on_report(std::move(report));
  });
  if (!summary.ok()) return CutShort(summary.status(), came, consumed.workers().size());
  const absl::Status confirmed = consumed.pool_->Confirm(options.call);
  if (confirmed.ok()) {
    consumed.pool_.reset();
  } else {
    // The reports are here and true; what is left at the daemon goes with the drop below, or with the lease.
    LogWarning(confirmed.message());
  }
  return summary;
}

absl::Status WorkloadHandle::Drop(CallOptions options) && {
  WorkloadHandle consumed = std::move(*this);
  const std::unique_ptr<RemotePool> pool = std::move(consumed.pool_);
  return pool->Drop(options).status();
}

std::string WorkloadHandle::Release() && {
  WorkloadHandle consumed = std::move(*this);
  const std::unique_ptr<RemotePool> pool = std::move(consumed.pool_);
  return pool->id();
}

}  // namespace muster
