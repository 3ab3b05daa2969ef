// Where a pool host and its helpers stand among the tasks of the machine.
#ifndef MUSTER_WORKER_HOST_PRIORITY_H_
#define MUSTER_WORKER_HOST_PRIORITY_H_

#include <cstdint>

#include "absl/status/status.h"

namespace muster::host {

// The caller's children start as ordinary tasks with nice 0, whatever the caller is.
absl::Status ResetChildren();

// SCHED_FIFO at `priority`, children as with ResetChildren.
absl::Status RunAsControl(uint32_t priority);

// For a process that makes workers: ahead of ordinary load, below everything real-time; children as with ResetChildren.
absl::Status RunAsHelper();

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_PRIORITY_H_
