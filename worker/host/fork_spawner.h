// Fork mode: one process per worker.
#ifndef MUSTER_WORKER_HOST_FORK_SPAWNER_H_
#define MUSTER_WORKER_HOST_FORK_SPAWNER_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "worker/host/plumber.h"
#include "worker/host/workshop.h"

namespace muster::host {

// Clones every worker of a fork-mode pool, the members of a group instance one after the other: its plumbing is made
// just before them and closed right after, so that the pool host keeps no descriptor per worker. A large pool is made
// by several helper processes at once; none of them is left when Run returns.
class ForkSpawner {
 public:
  explicit ForkSpawner(const Workshop& workshop);

  // On failure the board's ids tell which workers exist all the same; the caller ends them. RESOURCE_EXHAUSTED: the
  // kernel has no more processes, memory or descriptors; the message names the call and the worker.
  absl::Status Run();

 private:
  enum class Maker { kHost, kHelper };

  absl::Status MakeWorkers(WorkerRange workers, Maker maker);
  absl::Status MakeWorkersHere(WorkerRange workers, Maker maker);
  bool IsDropped();
  absl::Status MakeInstance(WorkerRange members, Maker maker);
  [[noreturn]] void LiveAsWorker(uint32_t worker, InstancePlumbing plumbing, const std::vector<int>& keep);

  uint32_t NumHelpers() const;
  std::vector<WorkerRange> CutForHelpers(uint32_t helpers) const;
  absl::Status RunHelpers(uint32_t helpers);
  [[noreturn]] void LiveAsHelper(WorkerRange workers);
  absl::Status AwaitHelper(pid_t pid);

  const Workshop& shop_;
  std::vector<int> keep_;  // every worker's descriptors, in ascending order
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_FORK_SPAWNER_H_
