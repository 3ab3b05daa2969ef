// The stream of StopAndCollect.
#ifndef MUSTER_DAEMON_SERVICE_COLLECT_SOURCE_H_
#define MUSTER_DAEMON_SERVICE_COLLECT_SOURCE_H_

#include <cstdint>
#include <optional>

#include "daemon/pool/pool.h"
#include "daemon/service/service_parts.h"
#include "daemon/service/stream_call.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// Stops the pool in Begin; then one report per message, built into memory that is used again, and the summary.
class CollectSource final : public StreamSource<v1::StopAndCollectResponse> {
 public:
  // Both are valid while this object lives.
  CollectSource(const v1::StopAndCollectRequest* request, const ServiceParts* parts)
      : request_(*request), parts_(*parts), next_worker_(request->from_worker()) {}

  absl::Status Begin(const CallContext& context, Waker wake) override;
  absl::StatusOr<StreamStep> Next(v1::StopAndCollectResponse* message) override;
  // Reports are as they are; the next one is built while one is on its way.
  bool RunsAhead() const override { return true; }

 private:
  const v1::StopAndCollectRequest& request_;
  const ServiceParts& parts_;
  std::optional<Pool> pool_;
  uint32_t next_worker_;
  bool summary_sent_ = false;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_COLLECT_SOURCE_H_
