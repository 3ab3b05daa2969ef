// Memory nodes of the machine.
#ifndef MUSTER_WORKER_PARTS_NUMA_NODES_H_
#define MUSTER_WORKER_PARTS_NUMA_NODES_H_

#include <string>
#include <vector>

#include "base/cpu_set.h"

namespace muster {

// CPUs of each node that has any, in the order of the nodes; empty when `root` does not say.
std::vector<CpuSet> CpusOfNodes(const std::string& root = "/sys/devices/system/node");

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_NUMA_NODES_H_
