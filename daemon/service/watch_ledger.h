// What a watching client has been told, so that it is told the differences.
#ifndef MUSTER_DAEMON_SERVICE_WATCH_LEDGER_H_
#define MUSTER_DAEMON_SERVICE_WATCH_LEDGER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "daemon/pool/pool_types.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// Thread-compatible.
class WatchLedger {
 public:
  // Takes the totals that the client says it knows. INVALID_ARGUMENT names the field: not one per worker, or above what
  // the worker has done, so that they cannot be this pool's.
  absl::Status Open(const v1::WatchRequest& request, const PoolSnapshot& now);

  // Replaces `update`, using its memory again: what has happened since the last call. `merged` counts readings that
  // this one stands for besides itself.
  void Advance(const PoolSnapshot& now, uint32_t merged, v1::WatchUpdate* update);

 private:
  std::vector<uint64_t> iterations_;
  std::vector<uint64_t> work_units_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_WATCH_LEDGER_H_
