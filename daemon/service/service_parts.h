// What the handlers act on.
#ifndef MUSTER_DAEMON_SERVICE_SERVICE_PARTS_H_
#define MUSTER_DAEMON_SERVICE_SERVICE_PARTS_H_

#include "base/timer_queue.h"
#include "daemon/cgroup/cgroup_manager.h"
#include "daemon/lease/cgroup_owners.h"
#include "daemon/lease/detached_pools.h"
#include "daemon/lease/lease_keeper.h"
#include "daemon/lease/lease_property.h"
#include "daemon/lease/lease_table.h"
#include "daemon/pool/pool_table.h"
#include "daemon/service/request_cache.h"
#include "daemon/service/watch_hub.h"
#include "muster/v1/muster.pb.h"

namespace muster {

// All outlive the service, which has no state of its own.
struct ServiceParts {
  PoolTable* pools = nullptr;
  CgroupManager* cgroups = nullptr;
  CgroupOwners* cgroup_owners = nullptr;
  LeaseTable* leases = nullptr;
  LeaseKeeper* keeper = nullptr;
  LeaseProperty* property = nullptr;
  DetachedPools* detached = nullptr;
  RequestCache* requests = nullptr;
  WatchHub* watches = nullptr;
  TimerQueue* timers = nullptr;
  // All of GetServerInfo's answer but the clocks.
  const v1::GetServerInfoResponse* info = nullptr;
  // Time after which a silent peer counts as gone.
  absl::Duration lease_ttl;
  int64_t max_spec_bytes = 0;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_SERVICE_PARTS_H_
