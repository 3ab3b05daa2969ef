#include "daemon/service/pool_handlers.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "daemon/service/authority.h"
#include "daemon/service/convert.h"
#include "daemon/service/encoding.h"

namespace muster {
namespace {

// A pool's cgroups and processes go whether the caller waits or not, so this is not the caller's deadline.
constexpr absl::Duration kDropBudget = absl::Seconds(10);

template <class Request>
RequestCache::Request Cacheable(const char* method, const Request& request) {
  return {method, CacheScope(request.authority()), request.request_id(), &request};
}

// Of the cgroups that a detached pool's workers are to be born in. "" is the workload root, which no lease takes away.
absl::Status CheckOutliveLeases(const v1::WorkloadSpec& spec, CgroupOwners* owners) {
  RETURN_IF_ERROR(owners->CheckOutlivesLeases(spec.cgroup()));
  for (const v1::GroupSpec& group : spec.composed()) RETURN_IF_ERROR(owners->CheckOutlivesLeases(group.cgroup()));
  for (const v1::CgroupSpec& cgroup : spec.cgroups()) RETURN_IF_ERROR(owners->CheckOutlivesLeases(cgroup.name()));
  return absl::OkStatus();
}

// Dropping ends processes and removes cgroups; what is left then is memory, and unmapping it takes milliseconds for a
// large pool, and tenths of a second for one with gigabytes of samples.
void KeepMemoryUntilAnswered(const Pool& pool, const CallContext& context) {
  context.KeepUntilAnswered(std::make_shared<const Pool>(pool));
}

}  // namespace

absl::Status PoolHandlers::Spawn(const v1::SpawnRequest& request, const CallContext& context,
                                 v1::SpawnResponse* response) const {
  return parts_.requests->Run(Cacheable("Spawn", request), context, response,
                              [&] { return SpawnOnce(request, context, response); });
}

absl::Status PoolHandlers::SpawnOnce(const v1::SpawnRequest& request, const CallContext& context,
                                     v1::SpawnResponse* response) const {
  if (static_cast<int64_t>(request.spec().ByteSizeLong()) > parts_.max_spec_bytes) {
    return LimitError("max_spec_bytes", parts_.max_spec_bytes,
                      absl::StrCat("the spec has ", request.spec().ByteSizeLong(), " bytes; make it smaller"));
  }
  if (request.authority().as_operator()) {
    return FieldError("authority.as_operator", "a pool needs a lease to belong to; give lease_id and lease_secret");
  }
  ASSIGN_OR_RETURN(const LeaseUse use, parts_.leases->Use(request.authority().lease_id(),
                                                          request.authority().lease_secret(), "authority.lease_id"));
  if (request.detached()) RETURN_IF_ERROR(CheckOutliveLeases(request.spec(), parts_.cgroup_owners));
  absl::StatusOr<Pool> pool =
      parts_.pools->Spawn(request.spec(), {use.lease_id(), use.owner(), request.detached()}, context.deadline);
  if (!pool.ok()) return PrefixField(pool.status(), "spec.");
  // Without an id no retry can come for the answer, and nobody would ever know of the pool.
  if (request.request_id().empty() && !context.Alive().ok()) {
    parts_.pools->Drop(pool->id(), Deadline::After(kDropBudget));
    return context.Alive();
  }
  if (request.detached()) {
    parts_.detached->Add(pool->id(), {request.authority().lease_id(), request.authority().lease_secret()},
                         [this](const std::string& id) { return !parts_.pools->Find(id).ok(); });
  }
  ToProto(*pool, response);
  return absl::OkStatus();
}

absl::Status PoolHandlers::Place(const v1::PlaceRequest& request, const CallContext& context,
                                 v1::PlaceResponse* response) const {
  return parts_.requests->Run(Cacheable("Place", request), context, response, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const PlaceTarget target, FromProto(request));
    ASSIGN_OR_RETURN(Pool pool, FindPoolFor(request.authority(), request.pool_id(), parts_));
    if (!target.to_cpus && pool.Info().labels.detached) {
      RETURN_IF_ERROR(parts_.cgroup_owners->CheckOutlivesLeases(target.cgroup));
    }
    ASSIGN_OR_RETURN(const std::vector<PlaceOutcome> outcomes, pool.Place(target, context.deadline));
    ToProto(outcomes, response);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Pool>> PoolHandlers::PoolsToStart(const v1::StartRequest& request) const {
  if (request.pool_ids().empty()) return FieldError("pool_ids", "is empty; name at least one pool");
  std::vector<Pool> pools;
  for (int i = 0; i < request.pool_ids_size(); ++i) {
    ASSIGN_OR_RETURN(Pool pool, FindPoolFor(request.authority(), request.pool_ids(i), parts_));
    if (std::find(pools.begin(), pools.end(), pool) != pools.end()) {
      return FieldError(absl::StrCat("pool_ids[", i, "]"), absl::StrCat("names pool ", pool.id(), " a second time"));
    }
    pools.push_back(std::move(pool));
  }
  return pools;
}

absl::Status PoolHandlers::Start(const v1::StartRequest& request, const CallContext& context,
                                 v1::StartResponse* response) const {
  return parts_.requests->Run(Cacheable("Start", request), context, response, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<Pool> pools, PoolsToStart(request));
    ASSIGN_OR_RETURN(const StartResult result, Pool::StartAll(pools, context.deadline));
    ToProto(result, response);
    return absl::OkStatus();
  });
}

absl::Status PoolHandlers::Snapshot(const grpc::ByteBuffer& encoded_request, grpc::ByteBuffer* response) const {
  v1::SnapshotRequest request;
  RETURN_IF_ERROR(Decode(encoded_request, &request));
  ASSIGN_OR_RETURN(const Pool pool, parts_.pools->Find(request.pool_id()));
  ASSIGN_OR_RETURN(const PoolSnapshot snapshot, pool.Snapshot());
  *response = EncodeSnapshot(snapshot);
  return absl::OkStatus();
}

absl::Status PoolHandlers::ConfirmReports(const v1::ConfirmReportsRequest& request, const CallContext& context,
                                          v1::ConfirmReportsResponse* response) const {
  return parts_.requests->Run(Cacheable("ConfirmReports", request), context, response, [&]() -> absl::Status {
    const absl::StatusOr<Pool> pool = parts_.pools->Find(request.pool_id());
    // Of a pool that is gone there is nothing to guard; the table tells one that was confirmed from one that never was.
    if (pool.ok()) {
      RETURN_IF_ERROR(CheckAuthority(request.authority(), *pool, parts_));
      KeepMemoryUntilAnswered(*pool, context);
    }
    RETURN_IF_ERROR(parts_.pools->Confirm(request.pool_id(), context.deadline));
    parts_.watches->End(request.pool_id());
    return absl::OkStatus();
  });
}

absl::Status PoolHandlers::Drop(const v1::DropRequest& request, const CallContext& context,
                                v1::DropResponse* response) const {
  return parts_.requests->Run(Cacheable("Drop", request), context, response, [&]() -> absl::Status {
    const absl::StatusOr<Pool> pool = parts_.pools->Find(request.pool_id());
    if (!pool.ok()) return absl::OkStatus();
    RETURN_IF_ERROR(CheckAuthority(request.authority(), *pool, parts_));
    KeepMemoryUntilAnswered(*pool, context);
    response->set_existed(parts_.pools->Drop(request.pool_id(), Deadline::After(kDropBudget)));
    parts_.watches->End(request.pool_id());
    return absl::OkStatus();
  });
}

absl::Status PoolHandlers::ListPools(const v1::ListPoolsRequest& request, const CallContext&,
                                     v1::ListPoolsResponse* response) const {
  if (!request.pool_id().empty()) {
    ASSIGN_OR_RETURN(const Pool pool, parts_.pools->Find(request.pool_id()));
    const PoolInfo info = pool.Info();
    if (info.state == PoolState::kDropped) return absl::NotFoundError(absl::StrCat("pool ", pool.id(), " was dropped"));
    *response->add_pools() = ToProto(info);
    *response->mutable_pools(0)->mutable_resolved_spec() = pool.resolved_spec();
    return absl::OkStatus();
  }
  for (const PoolInfo& info : parts_.pools->List()) *response->add_pools() = ToProto(info);
  return absl::OkStatus();
}

}  // namespace muster
