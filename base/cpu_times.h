// What CPUs did with their time, as the kernel counts it.
#ifndef MUSTER_BASE_CPU_TIMES_H_
#define MUSTER_BASE_CPU_TIMES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/cpu_set.h"

namespace muster {

// Time that CPUs spent since boot, in clock ticks, all of them together.
struct CpuTimes {
  uint64_t busy = 0;  // everything but idle and waiting for a disk
  uint64_t total = 0;
};

// Adds up the lines of `cpus` in a text of /proc/stat (proc(5)). INTERNAL when it is no such text, or has none of them.
absl::StatusOr<CpuTimes> SumCpuTimes(absl::string_view stat, const CpuSet& cpus);

}  // namespace muster

#endif  // MUSTER_BASE_CPU_TIMES_H_
