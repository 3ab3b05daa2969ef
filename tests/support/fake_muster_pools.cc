// The calls of FakeMuster that concern pools.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/fake_muster.h"

namespace muster {
namespace {

v1::SpawnResponse MakePool(const std::string& id, const v1::SpawnRequest& request) {
  v1::SpawnResponse pool;
  pool.set_pool_id(id);
  *pool.mutable_resolved_spec() = request.spec();
  pool.set_pool_host_pid(99);
  const bool threads = request.spec().clone_mode() == v1::THREAD || request.spec().has_pcomm();
  const uint32_t workers = request.spec().has_num_workers() ? request.spec().num_workers() : 1;
  pool.mutable_resolved_spec()->set_num_workers(workers);
  for (uint32_t i = 0; i < workers; ++i) {
    v1::WorkerInfo* worker = pool.add_workers();
    worker->set_worker_index(i);
    worker->set_pid(threads ? 1000 : 1000 + i);
    worker->set_tid(1000 + i);
  }
  return pool;
}

grpc::Status NoSuchPool(const std::string& id) {
  return grpc::Status(grpc::StatusCode::NOT_FOUND, absl::StrCat("no pool ", id));
}

}  // namespace

grpc::Status FakeMuster::Spawn(grpc::ServerContext*, const v1::SpawnRequest* request, v1::SpawnResponse* response) {
  if (grpc::Status status = Enter("Spawn", ""); !status.ok()) return status;
  {
    MutexLock lock(&mutex_);
    last_spawn_ = *request;
    std::string& id = pool_of_request_[request->request_id()];
    if (id.empty()) {
      id = absl::StrCat("p", ++pools_made_);
      pools_[id] = MakePool(id, *request);
    }
    *response = pools_[id];
  }
  return Leave("Spawn");
}

grpc::Status FakeMuster::Place(grpc::ServerContext*, const v1::PlaceRequest* request, v1::PlaceResponse* response) {
  if (grpc::Status status = Enter("Place", request->pool_id()); !status.ok()) return status;
  MutexLock lock(&mutex_);
  last_place_ = *request;
  *response = place_response_;
  return grpc::Status::OK;
}

grpc::Status FakeMuster::Start(grpc::ServerContext*, const v1::StartRequest* request, v1::StartResponse* response) {
  const std::string ids = absl::StrJoin(request->pool_ids(), ",");
  if (grpc::Status status = Enter("Start", ids); !status.ok()) return status;
  for (const std::string& id : request->pool_ids()) response->add_pools()->set_pool_id(id);
  return Leave("Start");
}

grpc::Status FakeMuster::Snapshot(grpc::ServerContext*, const v1::SnapshotRequest* request,
                                  v1::SnapshotResponse* response) {
  if (grpc::Status status = Enter("Snapshot", request->pool_id()); !status.ok()) return status;
  MutexLock lock(&mutex_);
  const auto pool = pools_.find(request->pool_id());
  if (pool == pools_.end()) return NoSuchPool(request->pool_id());
  for (const v1::WorkerInfo& worker : pool->second.workers()) {
    response->add_iterations(10 + worker.worker_index());
    response->add_work_units(1024);
    response->add_states(v1::RUNNING);
    response->add_last_cpus(0);
    response->add_ages_ns(1);
  }
  return grpc::Status::OK;
}

grpc::Status FakeMuster::Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                               grpc::ServerWriter<v1::WatchUpdate>* writer) {
  if (grpc::Status status = Enter("Watch", request->pool_id()); !status.ok()) return status;
  std::vector<v1::WatchUpdate> updates;
  {
    MutexLock lock(&mutex_);
    last_watch_ = *request;
    updates = updates_;
    updates_.clear();
  }
  for (const v1::WatchUpdate& update : updates) writer->Write(update);
  if (!updates.empty() && updates.back().final()) return grpc::Status::OK;
  MutexLock lock(&mutex_);
  while (!ending_ && !context->IsCancelled()) {
    // The synchronous interface does not wake for a cancellation.
    changed_.WaitUntil(&mutex_, SteadyDeadline(absl::Milliseconds(20)));
  }
  return grpc::Status::OK;
}

std::vector<v1::WorkerReport> FakeMuster::ReportsOf(int workers) {
  MutexLock lock(&mutex_);
  if (reports_.has_value()) return *reports_;
  std::vector<v1::WorkerReport> reports(workers);
  for (int i = 0; i < workers; ++i) {
    reports[i].set_worker_index(i);
    reports[i].set_completed(true);
    reports[i].set_iterations(100);
    reports[i].set_work_units(102400);
  }
  return reports;
}

grpc::Status FakeMuster::StopAndCollect(grpc::ServerContext*, const v1::StopAndCollectRequest* request,
                                        grpc::ServerWriter<v1::StopAndCollectResponse>* writer) {
  const std::string note = absl::StrCat(request->pool_id(), " from ", request->from_worker());
  if (grpc::Status status = Enter("StopAndCollect", note); !status.ok()) return status;
  int workers = 0;
  int break_after = -1;
  {
    MutexLock lock(&mutex_);
    const auto pool = pools_.find(request->pool_id());
    if (pool == pools_.end()) return NoSuchPool(request->pool_id());
    workers = pool->second.workers_size();
    while (hold_collection_ && !ending_) {
      if (pools_.count(request->pool_id()) == 0) return grpc::Status(grpc::StatusCode::ABORTED, "the pool was dropped");
      changed_.WaitUntil(&mutex_, SteadyDeadline(absl::Seconds(1)));
    }
    break_after = std::exchange(break_after_reports_, -1);
  }
  v1::StopAndCollectResponse message;
  for (const v1::WorkerReport& report : ReportsOf(workers)) {
    if (report.worker_index() < request->from_worker()) continue;
    if (break_after-- == 0) {
      BreakConnections();
      return grpc::Status::OK;
    }
    *message.mutable_report() = report;
    writer->Write(message);
  }
  message.mutable_summary()->set_pool_id(request->pool_id());
  message.mutable_summary()->set_workers(workers);
  writer->Write(message);
  return grpc::Status::OK;
}

grpc::Status FakeMuster::ConfirmReports(grpc::ServerContext*, const v1::ConfirmReportsRequest* request,
                                        v1::ConfirmReportsResponse*) {
  if (grpc::Status status = Enter("ConfirmReports", request->pool_id()); !status.ok()) return status;
  MutexLock lock(&mutex_);
  pools_.erase(request->pool_id());
  return grpc::Status::OK;
}

grpc::Status FakeMuster::Drop(grpc::ServerContext*, const v1::DropRequest* request, v1::DropResponse* response) {
  if (grpc::Status status = Enter("Drop", request->pool_id()); !status.ok()) return status;
  MutexLock lock(&mutex_);
  response->set_existed(pools_.erase(request->pool_id()) != 0);
  changed_.NotifyAll();
  return grpc::Status::OK;
}

grpc::Status FakeMuster::ListPools(grpc::ServerContext*, const v1::ListPoolsRequest* request,
                                   v1::ListPoolsResponse* response) {
  if (grpc::Status status = Enter("ListPools", request->pool_id()); !status.ok()) return status;
  MutexLock lock(&mutex_);
  for (const auto& [id, pool] : pools_) {
    if (!request->pool_id().empty() && id != request->pool_id()) continue;
    v1::PoolInfo* info = response->add_pools();
    info->set_pool_id(id);
    info->set_state(v1::STARTED);
    info->set_workers(pool.workers_size());
    if (!request->pool_id().empty()) *info->mutable_resolved_spec() = pool.resolved_spec();
  }
  if (!request->pool_id().empty() && response->pools().empty()) return NoSuchPool(request->pool_id());
  return grpc::Status::OK;
}

}  // namespace muster
