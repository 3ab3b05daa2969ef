// The task processes of a pool: the pool host's own children, which nobody else reaps.
#ifndef MUSTER_WORKER_HOST_TASKS_H_
#define MUSTER_WORKER_HOST_TASKS_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "worker/arena/arena.h"
#include "worker/host/pool.h"

namespace muster::host {

// Owns the children that were added, until they are reaped. A pid is used only while its process is not reaped, so that
// it cannot be another's. Destroying the table does nothing to them.
class Tasks {
 public:
  // Exits are recorded in the arena's host table.
  explicit Tasks(const arena::Arena* arena) : arena_(arena) {}

  // Takes over an unreaped child, which leads (or soon leads) a process group of its own.
  void Add(pid_t pid, WorkerRange workers);

  size_t size() const { return tasks_.size(); }
  WorkerRange workers(size_t task) const { return tasks_[task].workers; }
  // The process of a worker; 0 when it has been reaped.
  pid_t PidOfWorker(uint32_t worker) const;
  size_t TaskOfWorker(uint32_t worker) const { return tasks_.size() == 1 ? 0 : worker; }

  // True when it has ended, reaped or not. Reaps nothing.
  bool HasEnded(size_t task);
  // Whether HasEnded is true of anybody: one call instead of one for each.
  bool AnyEnded() const;
  // A descriptor that is readable once the unreaped task has ended.
  absl::StatusOr<UniqueFd> OpenPidfd(size_t task) const;
  // To the process; not when it was reaped.
  void Signal(size_t task, int signal_number) const;
  // To one thread of it.
  void SignalThread(size_t task, pid_t tid, int signal_number) const;

  // An unreaped task that has ended; none: all live on. Children that nobody added (a worker can make some) are reaped
  // by the way.
  std::optional<size_t> FindEnded();

  // Marks those that have not ended: their exit will be kTimedOut.
  void MarkLate();
  // SIGKILL to the process and to all that is left of its group.
  void Kill(size_t task) const;
  void KillAll() const;
  // Reaps a task that was killed, records how it ended. False: it had not ended at the monotonic instant; it is
  // recorded as kStuck.
  bool Reap(size_t task, uint64_t deadline_ns);
  // The same for all, in order.
  void ReapAll(uint64_t deadline_ns);
  bool AllReaped() const { return unreaped_ == 0; }

 private:
  struct Task {
    pid_t pid = 0;
    WorkerRange workers;
    bool ended = false;
    bool late = false;
    bool reaped = false;
  };

  void Record(const Task& task, arena::Exit exit, int value, const rusage* usage) const;
  // Waits until another wait4 may find the end of a task. False: the instant has passed.
  bool AwaitChange(const Task& task, uint64_t deadline_ns) const;

  const arena::Arena* arena_;
  std::vector<Task> tasks_;
  std::unordered_map<pid_t, size_t> by_pid_;
  size_t unreaped_ = 0;
};

// Waits until `fd` is readable or the monotonic instant has passed; false then.
bool PollUntil(int fd, uint64_t deadline_ns);

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_TASKS_H_
