// What a task process does with itself before any work: the same for a worker of its own and for one that holds
// threads.
#ifndef MUSTER_WORKER_HOST_TASK_PROCESS_H_
#define MUSTER_WORKER_HOST_TASK_PROCESS_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/arena/arena.h"
#include "worker/core/work_type.h"

namespace muster::host {

// What children inherit of the caller: SIGUSR1, which the caller has blocked, is an interruption, and a neighbour's end
// of a pipe that is gone an error, not a death.
void SetTaskHandlers();

// Dies with the pool host `host`; leads a process group; has no signal blocked. Ends the process when the pool host is
// gone already.
void BecomeTaskProcess(pid_t host);

// Asks again for a death signal: a change of credentials clears it. Ends the process when the pool host is gone.
void DieWithHost(pid_t host);

// Closes every descriptor above the standard streams but those listed, in ascending order (negative ones are ignored).
void KeepDescriptors(const std::vector<int>& keep);

// Descriptors of a plumbing.
bool HasDescriptors(const Plumbing& plumbing);
void AppendDescriptors(const Plumbing& plumbing, std::vector<int>* descriptors);

// Maps workers' own parts of the arena writable, with all pages in place. Never unmapped: they last as long as the
// process.
absl::StatusOr<std::byte*> MapOwnParts(int arena_fd, const arena::Range& parts);

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_TASK_PROCESS_H_
