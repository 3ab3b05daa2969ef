// muster.v1.Muster on gRPC's callback API.
#ifndef MUSTER_DAEMON_SERVICE_MUSTER_SERVICE_H_
#define MUSTER_DAEMON_SERVICE_MUSTER_SERVICE_H_

#include <memory>

#include "absl/time/time.h"
#include "base/executor.h"
#include "daemon/listen/peer_table.h"
#include "daemon/service/call_setup.h"
#include "daemon/service/cgroup_handlers.h"
#include "daemon/service/pool_handlers.h"
#include "daemon/service/service_parts.h"
#include "daemon/service/shared_readings.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {

struct ServiceOptions {
  int64_t max_handler_threads = 32;
  int64_t max_queued_calls = 1024;
  // Longest time for a call that a caller lets wait.
  absl::Duration max_call_time = absl::Minutes(5);
};

// Routes each method to its handler or its stream's source. Quick ones run on gRPC's thread, those that may wait on an
// executor. Holds no state. The destructor waits for handlers under way; shut the gRPC server down before.
//
// The methods whose messages are large or many answer with bytes, which are encoded where they are made.
class MusterService final : public v1::Muster::WithRawCallbackMethod_Snapshot<v1::Muster::WithRawCallbackMethod_Watch<
                                v1::Muster::WithRawCallbackMethod_StopAndCollect<v1::Muster::CallbackService>>> {
 public:
  // Both pointers outlive this object.
  MusterService(const ServiceOptions& options, const ServiceParts* parts, const PeerTable* peers);

  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context, const v1::GetServerInfoRequest* request,
                                          v1::GetServerInfoResponse* response) override;
  grpc::ServerWriteReactor<v1::LeaseEvent>* OpenLease(grpc::CallbackServerContext* context,
                                                      const v1::OpenLeaseRequest* request) override;
  grpc::ServerUnaryReactor* EndLease(grpc::CallbackServerContext* context, const v1::EndLeaseRequest* request,
                                     v1::EndLeaseResponse* response) override;
  grpc::ServerUnaryReactor* CreateCgroup(grpc::CallbackServerContext* context, const v1::CreateCgroupRequest* request,
                                         v1::CreateCgroupResponse* response) override;
  grpc::ServerUnaryReactor* RemoveCgroup(grpc::CallbackServerContext* context, const v1::RemoveCgroupRequest* request,
                                         v1::RemoveCgroupResponse* response) override;
  grpc::ServerUnaryReactor* Spawn(grpc::CallbackServerContext* context, const v1::SpawnRequest* request,
                                  v1::SpawnResponse* response) override;
  grpc::ServerUnaryReactor* Place(grpc::CallbackServerContext* context, const v1::PlaceRequest* request,
                                  v1::PlaceResponse* response) override;
  grpc::ServerUnaryReactor* Start(grpc::CallbackServerContext* context, const v1::StartRequest* request,
                                  v1::StartResponse* response) override;
  grpc::ServerUnaryReactor* Snapshot(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* StopAndCollect(grpc::CallbackServerContext* context,
                                                             const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* ConfirmReports(grpc::CallbackServerContext* context,
                                           const v1::ConfirmReportsRequest* request,
                                           v1::ConfirmReportsResponse* response) override;
  grpc::ServerUnaryReactor* Drop(grpc::CallbackServerContext* context, const v1::DropRequest* request,
                                 v1::DropResponse* response) override;
  grpc::ServerUnaryReactor* ListPools(grpc::CallbackServerContext* context, const v1::ListPoolsRequest* request,
                                      v1::ListPoolsResponse* response) override;

 private:
  CallSetup Setup(grpc::CallbackServerContext* context) {
    return {context, &handlers_executor_, peers_, options_.max_call_time};
  }
  absl::Status FinishLease(const v1::EndLeaseRequest& request, const CallContext& context,
                           v1::EndLeaseResponse* response) const;

  const ServiceOptions options_;
  const ServiceParts& parts_;
  const PeerTable* const peers_;
  const PoolHandlers pools_;
  const CgroupHandlers cgroups_;
  // Also of ends of watches under way, which may come a moment later.
  const std::shared_ptr<SharedReadings> readings_;
  Executor handlers_executor_;
  // For the messages of streams, whose making never waits, so that waiting handlers do not hold them back.
  Executor pump_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_MUSTER_SERVICE_H_
