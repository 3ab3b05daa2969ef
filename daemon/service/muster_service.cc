#include "daemon/service/muster_service.h"

#include <time.h>

#include <limits>
#include <utility>

#include "base/clock.h"
#include "base/status_macros.h"
#include "daemon/service/collect_source.h"
#include "daemon/service/lease_source.h"
#include "daemon/service/status.h"
#include "daemon/service/stream_call.h"
#include "daemon/service/unary_call.h"
#include "daemon/service/watch_source.h"

namespace muster {
namespace {

// Reports and readings are made at memory speed; a second thread helps while the first is preempted.
constexpr size_t kPumpThreads = 2;

// A method of a handlers' class as a handler of a call.
template <class Handlers, class Request, class Response>
grpc::ServerUnaryReactor* Run(const CallSetup& setup, typename UnaryCall<Request, Response>::Message message,
                              const Handlers& handlers,
                              absl::Status (Handlers::*method)(const Request&, const CallContext&, Response*) const) {
  return UnaryCall<Request, Response>::Start(
      setup, message, [&handlers, method](const Request& request, const CallContext& context, Response* response) {
        return (handlers.*method)(request, context, response);
      });
}

// For what never waits.
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace

MusterService::MusterService(const ServiceOptions& options, const ServiceParts* parts, const PeerTable* peers)
    : options_(options),
      parts_(*parts),
      peers_(peers),
      pools_(parts),
      cgroups_(parts),
      readings_(std::make_shared<SharedReadings>(
          [pools = parts->pools](const std::string& pool_id) -> absl::StatusOr<PoolSnapshot> {
            ASSIGN_OR_RETURN(const Pool pool, pools->Find(pool_id));
            return pool.Snapshot();
          })),
      handlers_executor_({.name = "handlers",
                          .max_threads = static_cast<size_t>(options.max_handler_threads),
                          .max_queued = static_cast<size_t>(options.max_queued_calls)}),
      pump_({.name = "streams", .max_threads = kPumpThreads, .max_queued = std::numeric_limits<int>::max()}) {}

grpc::ServerUnaryReactor* MusterService::GetServerInfo(grpc::CallbackServerContext* context,
                                                       const v1::GetServerInfoRequest*,
                                                       v1::GetServerInfoResponse* response) {
  *response = *parts_.info;
  response->set_monotonic_ns(MonotonicNs());
  response->set_realtime_ns(ClockNs(CLOCK_REALTIME));
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* MusterService::Snapshot(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) {
  return Answer(context, pools_.Snapshot(*request, response));
}

grpc::ServerUnaryReactor* MusterService::CreateCgroup(grpc::CallbackServerContext* context,
                                                      const v1::CreateCgroupRequest* request,
                                                      v1::CreateCgroupResponse* response) {
  return Run(Setup(context), {request, response}, cgroups_, &CgroupHandlers::CreateCgroup);
}

grpc::ServerUnaryReactor* MusterService::RemoveCgroup(grpc::CallbackServerContext* context,
                                                      const v1::RemoveCgroupRequest* request,
                                                      v1::RemoveCgroupResponse* response) {
  return Run(Setup(context), {request, response}, cgroups_, &CgroupHandlers::RemoveCgroup);
}

grpc::ServerUnaryReactor* MusterService::Spawn(grpc::CallbackServerContext* context, const v1::SpawnRequest* request,
                                               v1::SpawnResponse* response) {
  return Run(Setup(context), {request, response}, pools_, &PoolHandlers::Spawn);
}

grpc::ServerUnaryReactor* MusterService::Place(grpc::CallbackServerContext* context, const v1::PlaceRequest* request,
                                               v1::PlaceResponse* response) {
  return Run(Setup(context), {request, response}, pools_, &PoolHandlers::Place);
}

grpc::ServerUnaryReactor* MusterService::Start(grpc::CallbackServerContext* context, const v1::StartRequest* request,
                                               v1::StartResponse* response) {
  return Run(Setup(context), {request, response}, pools_, &PoolHandlers::Start);
}

grpc::ServerUnaryReactor* MusterService::ConfirmReports(grpc::CallbackServerContext* context,
                                                        const v1::ConfirmReportsRequest* request,
                                                        v1::ConfirmReportsResponse* response) {
  return Run(Setup(context), {request, response}, pools_, &PoolHandlers::ConfirmReports);
}

grpc::ServerUnaryReactor* MusterService::Drop(grpc::CallbackServerContext* context, const v1::DropRequest* request,
                                              v1::DropResponse* response) {
  return Run(Setup(context), {request, response}, pools_, &PoolHandlers::Drop);
}

grpc::ServerUnaryReactor* MusterService::ListPools(grpc::CallbackServerContext* context,
                                                   const v1::ListPoolsRequest* request,
                                                   v1::ListPoolsResponse* response) {
  return Run(Setup(context), {request, response}, pools_, &PoolHandlers::ListPools);
}

grpc::ServerUnaryReactor* MusterService::EndLease(grpc::CallbackServerContext* context,
                                                  const v1::EndLeaseRequest* request, v1::EndLeaseResponse* response) {
  return Run(Setup(context), {request, response}, *this, &MusterService::FinishLease);
}

absl::Status MusterService::FinishLease(const v1::EndLeaseRequest& request, const CallContext& context,
                                        v1::EndLeaseResponse* response) const {
  return parts_.requests->Run(
      {"EndLease", request.lease_id(), request.request_id(), &request}, context, response, [&]() -> absl::Status {
        ASSIGN_OR_RETURN(const LeaseRemains remains, parts_.keeper->End(request.lease_id(), request.lease_secret()));
        response->set_pools_dropped(static_cast<uint32_t>(remains.pools));
        response->set_cgroups_removed(static_cast<uint32_t>(remains.cgroups));
        return absl::OkStatus();
      });
}

grpc::ServerWriteReactor<v1::LeaseEvent>* MusterService::OpenLease(grpc::CallbackServerContext* context,
                                                                   const v1::OpenLeaseRequest* request) {
  return StreamCall<v1::LeaseEvent>::Start(
      Setup(context), &pump_,
      std::make_unique<LeaseSource>(request, LeaseStreamParts{parts_.leases, parts_.keeper, parts_.lease_ttl}));
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* MusterService::Watch(grpc::CallbackServerContext* context,
                                                                 const grpc::ByteBuffer* request) {
  const auto read = [readings = readings_](const std::string& pool_id, uint64_t since_ns) {
    return readings->Since(pool_id, since_ns);
  };
  return StreamCall<grpc::ByteBuffer>::Start(
      Setup(context), &pump_, std::make_unique<WatchSource>(request, WatchParts{read, parts_.timers, parts_.watches}));
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* MusterService::StopAndCollect(grpc::CallbackServerContext* context,
                                                                          const grpc::ByteBuffer* request) {
  return StreamCall<grpc::ByteBuffer>::Start(Setup(context), &pump_, std::make_unique<CollectSource>(request, &parts_));
}

}  // namespace muster
