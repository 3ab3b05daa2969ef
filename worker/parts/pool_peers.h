// The other workers of the caller's own pool.
#ifndef MUSTER_WORKER_PARTS_POOL_PEERS_H_
#define MUSTER_WORKER_PARTS_POOL_PEERS_H_

#include <sys/types.h>

#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace muster {

// One of them, held so that nobody who has taken its number over can be mistaken for it.
class PoolPeer {
 public:
  // A thread of the caller's process.
  explicit PoolPeer(pid_t tid) : tid_(tid) {}
  // A process and its descriptor.
  PoolPeer(pid_t pid, UniqueFd pidfd) : tid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t tid() const { return tid_; }
  // It has not been reaped.
  bool IsThere() const;

 private:
  pid_t tid_;
  UniqueFd pidfd_;
};

// At most `limit` of them; all workers must have been made. In thread mode the other threads of the process; else the
// other children of the parent, which is the pool host.
absl::StatusOr<std::vector<PoolPeer>> FindPoolPeers(bool in_thread, size_t limit);

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_POOL_PEERS_H_
