// A worker that migrates itself from node to node.
#ifndef MUSTER_WORKER_WORK_NUMA_MIGRATION_CHURN_H_
#define MUSTER_WORKER_WORK_NUMA_MIGRATION_CHURN_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/cpu_set.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"

namespace muster {

// One iteration: pin the caller to the CPUs of the next of `nodes`, sleep, spin. With fewer than two it stays where it
// is and says so in its report.
std::unique_ptr<Step> MakeNumaMigrationChurn(uint64_t period_ns, std::vector<CpuSet> nodes);

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_NUMA_MIGRATION_CHURN_H_
