// CPUs, cores, last-level caches and memory nodes of the machine, from sysfs.
#ifndef MUSTER_DAEMON_SPEC_TOPOLOGY_H_
#define MUSTER_DAEMON_SPEC_TOPOLOGY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/cpu_set.h"

namespace muster {

// Value type. Offline CPUs appear nowhere.
struct Topology {
  struct Node {
    uint32_t id = 0;
    CpuSet cpus;  // empty for a node of memory only
  };

  CpuSet online;
  // The hardware threads of each core, the cores by their lowest CPU. Every online CPU is in exactly one.
  std::vector<CpuSet> cores;
  // The CPUs of each last-level cache, by their lowest CPU. A CPU whose caches the kernel does not tell is grouped by
  // its package, and where that is unknown with all others like it.
  std::vector<CpuSet> llcs;
  // Online nodes, ascending.
  std::vector<Node> nodes;
};

// Reads `sysfs`/devices/system/{cpu,node}; `sysfs` is "/sys" outside tests. Fails only when the list of online CPUs
// cannot be read; what else is missing is replaced as said above.
absl::StatusOr<Topology> ReadTopology(const std::string& sysfs);

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_TOPOLOGY_H_
