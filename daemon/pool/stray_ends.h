// How workers ended whom musterd reaped because their pool host did not live to do so.
#ifndef MUSTER_DAEMON_POOL_STRAY_ENDS_H_
#define MUSTER_DAEMON_POOL_STRAY_ENDS_H_

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/pidfd.h"
#include "worker/arena/arena.h"

namespace muster {

// Thread-compatible.
class StrayEnds {
 public:
  // Learns the workers' process numbers; `arena` outlives this object.
  void Watch(const arena::Arena* arena) {
    arena_ = arena;
    for (uint32_t worker = 0; worker < arena->num_workers(); ++worker) {
      workers_.emplace_back(arena->host(worker).pid.load(std::memory_order_relaxed), worker);
    }
    std::sort(workers_.begin(), workers_.end());
  }

  // False: the number is none of these workers', or was, and the pool host has reaped its bearer: then it is somebody
  // else's now.
  bool Record(pid_t pid, const ProcessEnd& end) {
    auto found = std::lower_bound(workers_.begin(), workers_.end(), std::make_pair(pid, uint32_t{0}));
    // The threads of one process have one number.
    while (found != workers_.end() && found->first == pid && HasEnded(found->second)) ++found;
    if (found == workers_.end() || found->first != pid) return false;
    ends_[pid] = end;
    return true;
  }

  std::optional<ProcessEnd> Find(pid_t pid) const {
    const auto found = ends_.find(pid);
    return found == ends_.end() ? std::nullopt : std::make_optional(found->second);
  }

  // Whether each worker's end is known, from the pool host or from here.
  bool KnowsAll() {
    while (known_before_ < workers_.size()) {
      const auto& [pid, worker] = workers_[known_before_];
      if (!HasEnded(worker) && ends_.count(pid) == 0) return false;
      ++known_before_;
    }
    return true;
  }

 private:
  bool HasEnded(uint32_t worker) const {
    return arena_->host(worker).exit.load(std::memory_order_acquire) != arena::Exit::kNone;
  }

  const arena::Arena* arena_ = nullptr;
  std::vector<std::pair<pid_t, uint32_t>> workers_;  // by number
  size_t known_before_ = 0;                          // of workers_: their ends are known
  std::map<pid_t, ProcessEnd> ends_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_STRAY_ENDS_H_
