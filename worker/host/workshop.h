// What the makers of workers work with.
#ifndef MUSTER_WORKER_HOST_WORKSHOP_H_
#define MUSTER_WORKER_HOST_WORKSHOP_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "worker/core/worker.h"
#include "worker/host/board.h"
#include "worker/host/cloner.h"
#include "worker/host/events.h"
#include "worker/host/pool.h"
#include "worker/host/shared_view.h"
#include "worker/host/task_process.h"

namespace muster::host {

// Everything in it is the pool host's and outlives the making.
struct Workshop {
  const Pool* pool = nullptr;
  const SharedView* view = nullptr;
  const Board* board = nullptr;
  Cloner* cloner = nullptr;
  Events* events = nullptr;        // for the pool host itself only
  pid_t host = 0;                  // the pool host's pid
  int proc_fd = -1;                // of OpenProc (worker/meter/procfs.h); inherited by workers
  std::vector<int> telemetry_fds;  // by worker; empty when no worker is a program
  uint64_t deadline_ns = 0;        // monotonic; of the whole making
};

// Everything of a worker's context but its plumbing and telemetry descriptor. `own` is mapped in the calling process,
// which also gets the shared part of the arena into its page tables.
void FillContext(const Workshop& shop, uint32_t worker, std::byte* own, WorkerContext* context);

// Gives these workers' part of the arena its pages, at the cost of the calling process and not of the workers.
absl::Status AllocateParts(const Pool& pool, WorkerRange workers);

// ABORTED: musterd does not want the pool any more.
absl::Status Dropped();

// Why clone3 of `what` failed, in words.
absl::Status CloneError(int error_number, absl::string_view what);

// The kernel's running out of something has one code, whatever the call said.
absl::Status Exhausted(const absl::Status& status);

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_WORKSHOP_H_
