// One worker, from its birth to its final record. The same in a process of its own and in a thread.
#ifndef MUSTER_WORKER_CORE_WORKER_H_
#define MUSTER_WORKER_CORE_WORKER_H_

#include <cstdint>

#include "base/cpu_set.h"
#include "muster/v1/workload.pb.h"
#include "worker/arena/arena.h"
#include "worker/arena/arrivals.h"
#include "worker/arena/gate.h"
#include "worker/core/work_type.h"
#include "worker/meter/meter.h"
#include "worker/meter/procfs.h"

namespace muster {

// All that a worker needs; everything in it was made before the worker was (but for its own mappings) and outlives it.
struct WorkerContext {
  MeterTarget target;                    // its part of the arena
  arena::Gate gate;                      // read-only
  arena::ArrivalBell bell;               // rung after each completed setup
  uint32_t wake_position = 0;            // its position in the wake tree
  WorkerPlace place;                     // worker index, group, position, seed, limits
  const v1::GroupSpec* group = nullptr;  // resolved
  const CpuSet* cpus = nullptr;          // its affinity; null: inherited
  const WorkType* type = nullptr;        // null for Custom programs
  Plumbing plumbing;                     // of its group instance; the descriptors are this worker's own copies
  int proc_fd = -1;                      // of OpenProc (worker/meter/procfs.h)
  SharedNumaPages* numa_pages =
      nullptr;            // of the process, when its workers are threads; null: the worker reads its own
  int telemetry_fd = -1;  // of a Custom program
};

// Runs the worker: setup, ready, gate (with further setups when asked), first-instruction stamp, evidence, loop, final
// record. Returns when the final record stands in the arena; never throws (an exception of the work becomes kPanicked).
// A Custom program replaces the process instead of returning. SIGUSR1 must have a handler that does nothing, installed
// without SA_RESTART, and be unblocked; after a stop the pool host repeats it every 50 ms or sooner until the worker
// has finished, but for the time after its loop in which nothing of the work's runs (core/blocking.h says why).
void RunWorker(WorkerContext& context);

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_WORKER_H_
