// What pools tell without being asked: deaths of workers to the log, everything to leases and watches.
#ifndef MUSTER_DAEMON_SERVICE_POOL_EVENTS_H_
#define MUSTER_DAEMON_SERVICE_POOL_EVENTS_H_

#include <string>

#include "daemon/lease/lease_table.h"
#include "daemon/pool/pool.h"
#include "daemon/service/watch_hub.h"

namespace muster {

// The pointers outlive it. Thread-safe.
class PoolEvents final : public PoolListener {
 public:
  PoolEvents(LeaseTable* leases, WatchHub* watches) : leases_(leases), watches_(watches) {}

  void OnWorkerDied(const Pool& pool, uint32_t worker, const v1::ExitInfo& exit_info) override;
  void OnPoolEnded(const Pool& pool, absl::string_view error) override;

 private:
  LeaseTable* const leases_;
  WatchHub* const watches_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_POOL_EVENTS_H_
