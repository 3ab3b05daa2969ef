#include "daemon/service/watch_hub.h"

#include <utility>

namespace muster {

std::shared_ptr<void> WatchHub::Add(const std::string& pool_id, Callback on_end) {
  MutexLock lock(&mutex_);
  const auto it = watches_.emplace(pool_id, std::make_shared<const Callback>(std::move(on_end)));
  return std::shared_ptr<void>(nullptr, [this, it](void*) {
    std::shared_ptr<const Callback> last;
    MutexLock removal(&mutex_);
    last = std::move(it->second);
    watches_.erase(it);
  });
}

void WatchHub::End(absl::string_view pool_id) {
  std::vector<std::shared_ptr<const Callback>> callbacks;
  {
    MutexLock lock(&mutex_);
    const auto [first, last] = watches_.equal_range(pool_id);
    for (auto it = first; it != last; ++it) callbacks.push_back(it->second);
  }
  for (const auto& callback : callbacks) (*callback)();
}

}  // namespace muster
