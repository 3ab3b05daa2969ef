// The calls about pools that answer with one message.
#ifndef MUSTER_DAEMON_SERVICE_POOL_HANDLERS_H_
#define MUSTER_DAEMON_SERVICE_POOL_HANDLERS_H_

#include <grpcpp/support/byte_buffer.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/service/call_context.h"
#include "daemon/service/service_parts.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// Each does what muster.proto says of the method of its name. They block within the context's deadline, but for
// Snapshot, which never does. Any number may run at a time.
class PoolHandlers {
 public:
  // `parts` outlives this object.
  explicit PoolHandlers(const ServiceParts* parts) : parts_(*parts) {}

  absl::Status Spawn(const v1::SpawnRequest& request, const CallContext& context, v1::SpawnResponse* response) const;
  absl::Status Place(const v1::PlaceRequest& request, const CallContext& context, v1::PlaceResponse* response) const;
  absl::Status Start(const v1::StartRequest& request, const CallContext& context, v1::StartResponse* response) const;
  // Encoded messages, since they are large and many.
  absl::Status Snapshot(const grpc::ByteBuffer& encoded_request, grpc::ByteBuffer* response) const;
  absl::Status ConfirmReports(const v1::ConfirmReportsRequest& request, const CallContext& context,
                              v1::ConfirmReportsResponse* response) const;
  absl::Status Drop(const v1::DropRequest& request, const CallContext& context, v1::DropResponse* response) const;
  absl::Status ListPools(const v1::ListPoolsRequest& request, const CallContext& context,
                         v1::ListPoolsResponse* response) const;

 private:
  absl::Status SpawnOnce(const v1::SpawnRequest& request, const CallContext& context,
                         v1::SpawnResponse* response) const;
  absl::StatusOr<std::vector<Pool>> PoolsToStart(const v1::StartRequest& request) const;

  const ServiceParts& parts_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_POOL_HANDLERS_H_
