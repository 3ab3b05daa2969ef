#include "daemon/service/convert.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "daemon/spec/duration.h"

namespace muster {
namespace {

absl::StatusOr<PlaceUnit> UnitOf(const v1::PlaceRequest& request) {
  switch (request.unit()) {
    case v1::PLACE_UNIT_UNSPECIFIED:
      return PlaceUnit::kDefault;
    case v1::PROCESS:
      return PlaceUnit::kProcess;
    case v1::THREAD_UNIT:
      return PlaceUnit::kThread;
    default:
      return FieldError("unit",
                        absl::StrCat(request.unit(), " is no unit; choose PROCESS or THREAD_UNIT, or leave it out"));
  }
}

}  // namespace

v1::PoolState ToProto(PoolState state) {
  switch (state) {
    case PoolState::kSpawning:
      return v1::SPAWNING;
    case PoolState::kReady:
      return v1::READY;
    case PoolState::kStarted:
      return v1::STARTED;
    case PoolState::kStopping:
    // Dropping stops, too; the pool is not listed for long.
    case PoolState::kDropped:
      return v1::STOPPING;
    case PoolState::kCollected:
      return v1::COLLECTED;
  }
  return v1::POOL_STATE_UNSPECIFIED;
}

v1::PoolInfo ToProto(const PoolInfo& info) {
  v1::PoolInfo proto;
  proto.set_pool_id(info.pool_id);
  proto.set_state(ToProto(info.state));
  proto.set_lease_id(info.labels.lease_id);
  proto.set_owner(info.labels.owner);
  proto.set_workers(info.workers);
  proto.set_dead_workers(info.dead_workers);
  proto.set_detached(info.labels.detached);
  *proto.mutable_age() = DurationOfNs(absl::ToInt64Nanoseconds(info.age));
  for (const v1::GroupSummary& group : info.groups) *proto.add_groups() = group;
  proto.set_pool_host_pid(info.host_pid);
  return proto;
}

void ToProto(const Pool& pool, v1::SpawnResponse* response) {
  response->set_pool_id(pool.id());
  for (const WorkerInfo& worker : pool.Workers()) {
    v1::WorkerInfo* proto = response->add_workers();
    proto->set_worker_index(worker.worker_index);
    proto->set_group_idx(worker.group_idx);
    proto->set_pid(worker.pid);
    proto->set_tid(worker.tid);
    proto->set_cpus(worker.cpus);
  }
  *response->mutable_resolved_spec() = pool.resolved_spec();
  response->set_pool_host_pid(pool.host_pid());
}

void ToProto(const std::vector<PlaceOutcome>& outcomes, v1::PlaceResponse* response) {
  for (const PlaceOutcome& outcome : outcomes) {
    v1::PlaceOutcome* proto = response->add_outcomes();
    proto->set_worker_index(outcome.worker_index);
    proto->set_error(outcome.error);
    proto->set_cgroup(outcome.cgroup);
    proto->set_effective_cpus(outcome.effective_cpus);
  }
}

void ToProto(const StartResult& result, v1::StartResponse* response) {
  for (const StartResult::OfPool& pool : result.pools) {
    v1::PoolStart* proto = response->add_pools();
    proto->set_pool_id(pool.pool_id);
    proto->set_released_at_ns(pool.released_at_ns);
    proto->set_already_started(pool.already_started);
  }
  response->set_release_call_ns(result.release_call_ns);
}

absl::StatusOr<PlaceTarget> FromProto(const v1::PlaceRequest& request) {
  PlaceTarget target;
  target.workers.assign(request.workers().begin(), request.workers().end());
  switch (request.target_case()) {
    case v1::PlaceRequest::kCgroup:
      if (request.cgroup().empty()) return FieldError("cgroup", "is empty; name a cgroup from CreateCgroup");
      target.cgroup = request.cgroup();
      break;
    case v1::PlaceRequest::kCpus:
      target.to_cpus = true;
      target.cpus = request.cpus();
      break;
    case v1::PlaceRequest::TARGET_NOT_SET:
      return FieldError("target", "none is set; set cgroup or cpus");
  }
  const absl::StatusOr<PlaceUnit> unit = UnitOf(request);
  if (!unit.ok()) return unit.status();
  target.unit = *unit;
  return target;
}

}  // namespace muster
