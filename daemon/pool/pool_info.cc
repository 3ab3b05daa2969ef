// What others see of a pool: its state, labels and workers.
#include "base/clock.h"
#include "daemon/pool/pool_core.h"
#include "worker/control/spec.h"

namespace muster {

PoolState PoolCore::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

PoolLabels PoolCore::labels() const {
  MutexLock lock(&mutex_);
  return labels_;
}

void PoolCore::ForgetLease() {
  MutexLock lock(&mutex_);
  labels_.lease_id.clear();
}

uint64_t PoolCore::collected_at_ns() const {
  MutexLock lock(&mutex_);
  return collected_at_ns_;
}

std::vector<WorkerInfo> PoolCore::Workers() const {
  std::vector<WorkerInfo> workers;
  uint32_t index = 0;
  for (uint32_t group_idx = 0; group_idx < resolved().groups.size(); ++group_idx) {
    const ResolvedGroup& group = resolved().groups[group_idx];
    for (uint32_t i = 0; i < group.num_workers; ++i, ++index) {
      const arena::HostEntry& entry = arena_.host(index);
      workers.push_back(
          {index, group_idx, entry.pid, entry.tid, group.worker_cpus.empty() ? group.cpus : group.worker_cpus[i]});
    }
  }
  return workers;
}

PoolInfo PoolCore::Info() const {
  PoolInfo info;
  info.pool_id = id();
  info.workers = resolved().num_workers;
  info.age = absl::Nanoseconds(MonotonicNs() - made_at_ns_);
  info.groups = GroupsOf(resolved().spec);
  info.host_pid = host_pid();
  MutexLock lock(&mutex_);
  info.state = state_;
  info.labels = labels_;
  info.dead_workers = dead_workers_;
  return info;
}

}  // namespace muster
