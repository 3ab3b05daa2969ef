// Thread mode and pcomm: one process, whose threads are the workers.
#ifndef MUSTER_WORKER_HOST_THREAD_SPAWNER_H_
#define MUSTER_WORKER_HOST_THREAD_SPAWNER_H_

#include <pthread.h>
#include <sys/types.h>

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/host/workshop.h"

namespace muster::host {

// Clones the process; its main thread makes the others, waits for their ends and exits. The workers' thread ids go to
// the board. When the board's threads_may_go is zero, each thread rings once it has an id, and waits there for the word
// to change before it sets itself up.
class ThreadSpawner {
 public:
  explicit ThreadSpawner(const Workshop& shop) : shop_(shop) {}

  // Born in the cgroup `birth_fd`, or in the caller's (-1). What goes wrong inside the process is told on the board.
  absl::StatusOr<pid_t> Run(int birth_fd);

 private:
  // A worker thread's own; lives as long as the process.
  struct Thread {
    const Workshop* shop = nullptr;
    WorkerContext context;
    pthread_t handle;
  };

  [[noreturn]] void LiveAsProcess();
  absl::Status Settle();
  absl::Status MakeThreads();
  absl::Status MakeInstance(WorkerRange members);
  absl::Status MakeThread(uint32_t worker, Plumbing plumbing);
  static void* LiveAsThread(void* argument);

  const Workshop& shop_;
  std::byte* parts_ = nullptr;  // of all workers
  std::vector<std::unique_ptr<Thread>> threads_;
  SharedNumaPages numa_pages_;  // of the process
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_THREAD_SPAWNER_H_
