// What a watching client has been told, so that it is told the differences.
#ifndef MUSTER_DAEMON_SERVICE_WATCH_LEDGER_H_
#define MUSTER_DAEMON_SERVICE_WATCH_LEDGER_H_

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "daemon/pool/pool_types.h"
#include "daemon/service/watch_reading.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// Thread-compatible.
class WatchLedger {
 public:
  // Takes the totals that the client says it knows. INVALID_ARGUMENT names the field: not one per worker, or above what
  // the worker has done, so that they cannot be this pool's.
  absl::Status Open(const v1::WatchRequest& request, const PoolSnapshot& now);

  // The encoded WatchUpdate of what has happened since the last call. `merged` counts readings that this one stands for
  // besides itself.
  grpc::ByteBuffer Advance(const std::shared_ptr<const WatchReading>& now, uint32_t merged);

 private:
  // Only its totals count: of each worker the highest that was told, so that nothing is told twice.
  std::shared_ptr<const PoolSnapshot> told_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_WATCH_LEDGER_H_
