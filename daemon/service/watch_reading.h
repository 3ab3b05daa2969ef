// A reading of a pool, and the updates that tell watches of it.
#ifndef MUSTER_DAEMON_SERVICE_WATCH_READING_H_
#define MUSTER_DAEMON_SERVICE_WATCH_READING_H_

#include <grpcpp/support/slice.h>

#include <memory>
#include <utility>

#include "base/mutex.h"
#include "daemon/pool/pool_types.h"

namespace muster {

// Encodes an update once for all watches that were told of the same reading before, as those are that are due together.
// Thread-safe.
class WatchReading {
 public:
  explicit WatchReading(PoolSnapshot taken) : taken_(std::move(taken)) {}

  const PoolSnapshot& taken() const { return taken_; }

  struct Update {
    grpc::Slice bytes;  // an encoded WatchUpdate without `merged`
    // The totals that are known with it, where some were higher before than in this reading; else null, and they are
    // the reading's.
    std::shared_ptr<const PoolSnapshot> higher;
  };

  // For who knows the totals in `told`.
  Update UpdateAfter(const std::shared_ptr<const PoolSnapshot>& told) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const PoolSnapshot taken_;
  mutable Mutex mutex_;
  // The update that was asked for last.
  mutable std::weak_ptr<const PoolSnapshot> after_ ABSL_GUARDED_BY(mutex_);
  mutable Update update_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_WATCH_READING_H_
