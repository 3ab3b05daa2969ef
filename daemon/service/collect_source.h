// The stream of StopAndCollect.
#ifndef MUSTER_DAEMON_SERVICE_COLLECT_SOURCE_H_
#define MUSTER_DAEMON_SERVICE_COLLECT_SOURCE_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <optional>

#include "daemon/pool/pool.h"
#include "daemon/service/service_parts.h"
#include "daemon/service/stream_call.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// Stops the pool in Begin; then one encoded report per message, whose samples are sent from where they lie in the
// pool's arena, and the summary.
class CollectSource final : public StreamSource<grpc::ByteBuffer> {
 public:
  // An encoded StopAndCollectRequest. Both are valid while this object lives.
  CollectSource(const grpc::ByteBuffer* request, const ServiceParts* parts)
      : encoded_request_(*request), parts_(*parts) {}

  absl::Status Begin(const CallContext& context, Waker wake) override;
  absl::StatusOr<StreamStep> Next(grpc::ByteBuffer* message) override;
  // Reports are as they are; the next one is built while one is on its way.
  bool RunsAhead() const override { return true; }

 private:
  absl::StatusOr<grpc::ByteBuffer> ReportOf(uint32_t worker);

  const grpc::ByteBuffer& encoded_request_;
  const ServiceParts& parts_;
  v1::StopAndCollectRequest request_;
  std::optional<Pool> pool_;
  uint32_t next_worker_ = 0;
  // Its memory is used again.
  v1::WorkerReport report_;
  bool summary_sent_ = false;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_COLLECT_SOURCE_H_
