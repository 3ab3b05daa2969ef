// The daemon's limits. Each has one field here and one flag of the same name.
#ifndef MUSTER_DAEMON_SPEC_LIMITS_H_
#define MUSTER_DAEMON_SPEC_LIMITS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace muster {

struct Limits {
  // Longest serialised WorkloadSpec.
  int64_t max_spec_bytes = 4 << 20;
  // Workers of one pool, and of all pools together.
  int64_t max_workers = 20'000;
  int64_t max_total_workers = 30'000;
  // Pools at one time, whatever their state.
  int64_t max_pools = 256;
  // Bytes of one pool's arena, and of all arenas together. What workers sample is stored there.
  int64_t max_arena_bytes = int64_t{4} << 30;
  int64_t max_total_arena_bytes = int64_t{8} << 30;
  // Highest real-time priority of a worker: below the daemon's own.
  int64_t max_worker_rt_priority = 98;

  // For all workers of a pool to reach the gate.
  absl::Duration spawn_timeout = absl::Seconds(30);
  // From the stop word until the last worker must have left its record, shared by all workers of a pool. A bound that a
  // work type declares for draining is added.
  absl::Duration collect_deadline = absl::Seconds(5);
  // For reaping after a SIGKILL.
  absl::Duration reap_budget = absl::Seconds(3);
  // How long collected reports wait to be confirmed, and how many pools may wait at one time; the oldest go first.
  absl::Duration report_retention = absl::Minutes(10);
  int64_t max_retained_pools = 64;
};

// One limit, as GetServerInfo shows it.
struct NamedLimit {
  std::string name;
  int64_t value = 0;
  std::string unit;  // "bytes", "workers", "pools", "priority", "ms"
};

// All limits in the order of the struct.
std::vector<NamedLimit> NamedLimits(const Limits& limits);

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_LIMITS_H_
