// How much CPU others take while we measure.
#ifndef MUSTER_TESTS_BENCH_FOREIGN_LOAD_H_
#define MUSTER_TESTS_BENCH_FOREIGN_LOAD_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"

namespace muster::bench {

// CPU time used by every process that is no descendant of `ours`, with that of their reaped children, and what the
// hypervisor took away. Kernel threads are not counted: they work for whoever asked.
struct ForeignReading {
  uint64_t at_ns = 0;
  double cpu_s = 0;
};
absl::StatusOr<ForeignReading> ReadForeign(pid_t ours);

// Share of all CPUs that others took between two readings, 0 to 1.
double ForeignShare(const ForeignReading& before, const ForeignReading& after);

}  // namespace muster::bench

#endif  // MUSTER_TESTS_BENCH_FOREIGN_LOAD_H_
