// Where the threads of a one-process pool live.
#ifndef MUSTER_WORKER_HOST_THREAD_HOMES_H_
#define MUSTER_WORKER_HOST_THREAD_HOMES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "worker/host/board.h"
#include "worker/host/pool.h"

namespace muster::host {

// The kernel lets a process be born in a domain only, and its threads move within that domain. So the process is born
// in the root of its groups' threaded cgroups, and each thread is moved to its group's own before it sets itself up.
// Move-only.
class ThreadHomes {
 public:
  // FAILED_PRECONDITION: the groups' cgroups are not in one domain. `pool` outlives the homes.
  static absl::StatusOr<ThreadHomes> Find(const Pool* pool);

  ThreadHomes() = default;

  // Directory of the cgroup that the process is born in; -1: none was given.
  int birth_fd() const { return birth_.valid() ? birth_.get() : -1; }
  // False: all threads stay where the process is born.
  bool any_moves() const { return any_moves_; }
  // Moves each thread whose group is threaded.
  absl::Status MoveAll(const Board& board) const;

 private:
  const Pool* pool_ = nullptr;
  UniqueFd birth_;
  std::vector<bool> moves_;  // by group
  bool any_moves_ = false;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_THREAD_HOMES_H_
