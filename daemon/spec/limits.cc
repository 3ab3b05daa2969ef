#include "daemon/spec/limits.h"

namespace muster {

std::vector<NamedLimit> NamedLimits(const Limits& limits) {
  return {
      {"max_spec_bytes", limits.max_spec_bytes, "bytes"},
      {"max_workers", limits.max_workers, "workers"},
      {"max_total_workers", limits.max_total_workers, "workers"},
      {"max_pools", limits.max_pools, "pools"},
      {"max_arena_bytes", limits.max_arena_bytes, "bytes"},
      {"max_total_arena_bytes", limits.max_total_arena_bytes, "bytes"},
      {"max_worker_rt_priority", limits.max_worker_rt_priority, "priority"},
      {"spawn_timeout", absl::ToInt64Milliseconds(limits.spawn_timeout), "ms"},
      {"collect_deadline", absl::ToInt64Milliseconds(limits.collect_deadline), "ms"},
      {"reap_budget", absl::ToInt64Milliseconds(limits.reap_budget), "ms"},
      {"report_retention", absl::ToInt64Milliseconds(limits.report_retention), "ms"},
      {"max_retained_pools", limits.max_retained_pools, "pools"},
  };
}

}  // namespace muster
