#include "daemon/service/shared_readings.h"

#include <utility>

#include "base/status_macros.h"

namespace muster {

absl::StatusOr<std::shared_ptr<const WatchReading>> SharedReadings::Since(const std::string& pool_id,
                                                                          uint64_t since_ns) {
  {
    MutexLock lock(&mutex_);
    const auto it = last_.find(pool_id);
    std::shared_ptr<const WatchReading> last = it == last_.end() ? nullptr : it->second.lock();
    if (last != nullptr && last->taken().taken_at_ns >= since_ns) return last;
  }
  ASSIGN_OR_RETURN(PoolSnapshot now, read_(pool_id));
  const auto reading = std::make_shared<const WatchReading>(std::move(now));
  MutexLock lock(&mutex_);
  for (auto it = last_.begin(); it != last_.end();) it = it->second.expired() ? last_.erase(it) : std::next(it);
  std::weak_ptr<const WatchReading>& last = last_[pool_id];
  const std::shared_ptr<const WatchReading> other = last.lock();
  if (other == nullptr || other->taken().taken_at_ns < reading->taken().taken_at_ns) last = reading;
  return reading;
}

}  // namespace muster
