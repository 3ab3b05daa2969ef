// The stream of Watch.
#ifndef MUSTER_DAEMON_SERVICE_WATCH_SOURCE_H_
#define MUSTER_DAEMON_SERVICE_WATCH_SOURCE_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/timer_queue.h"
#include "daemon/service/stream_call.h"
#include "daemon/service/watch_hub.h"
#include "daemon/service/watch_ledger.h"
#include "daemon/service/watch_reading.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// What a watch needs of the daemon; all outlive it.
struct WatchParts {
  // A reading of a pool that was taken at `since_ns` (CLOCK_MONOTONIC) or later. NOT_FOUND: there is no such pool.
  std::function<absl::StatusOr<std::shared_ptr<const WatchReading>>(const std::string& pool_id, uint64_t since_ns)>
      read;
  TimerQueue* timers = nullptr;
  WatchHub* hub = nullptr;
};

// A reading at once, one at each multiple of the period, and the last one when the workers have ended. Readings that
// become due while the reader is slow are merged into the next one.
class WatchSource final : public StreamSource<grpc::ByteBuffer> {
 public:
  // An encoded WatchRequest, valid while this object lives.
  WatchSource(const grpc::ByteBuffer* request, WatchParts parts);
  ~WatchSource() override;

  absl::Status Begin(const CallContext& context, Waker wake) override;
  absl::StatusOr<StreamStep> Next(grpc::ByteBuffer* update) override;

 private:
  // What timers and the hub touch; they may come a moment after the source has gone.
  class Due;

  const grpc::ByteBuffer& encoded_request_;
  const WatchParts parts_;
  v1::WatchRequest request_;
  WatchLedger ledger_;
  std::shared_ptr<Due> due_;
  std::shared_ptr<void> in_hub_;
  // The last one. Held, so that others who are due can have it.
  std::shared_ptr<const WatchReading> reading_;
  bool over_ = false;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_WATCH_SOURCE_H_
