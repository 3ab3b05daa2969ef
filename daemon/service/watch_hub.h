// Who watches which pool, so that a watch hears of the pool's end when it happens.
#ifndef MUSTER_DAEMON_SERVICE_WATCH_HUB_H_
#define MUSTER_DAEMON_SERVICE_WATCH_HUB_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/mutex.h"

namespace muster {

// Outlives what Add returns. Thread-safe.
class WatchHub {
 public:
  using Callback = std::function<void()>;

  // While the result lives, and at most a moment longer, every End of the pool calls `on_end`, with no lock held.
  [[nodiscard]] std::shared_ptr<void> Add(const std::string& pool_id, Callback on_end) ABSL_LOCKS_EXCLUDED(mutex_);

  // The pool's workers have ended, or the pool is gone. Returns when all its watches know.
  void End(absl::string_view pool_id) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Watches = std::multimap<std::string, std::shared_ptr<const Callback>, std::less<>>;

  Mutex mutex_;
  Watches watches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_WATCH_HUB_H_
