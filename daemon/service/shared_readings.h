// Readings of pools, shared by the watches that are due together.
#ifndef MUSTER_DAEMON_SERVICE_SHARED_READINGS_H_
#define MUSTER_DAEMON_SERVICE_SHARED_READINGS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "daemon/pool/pool_types.h"
#include "daemon/service/watch_reading.h"

namespace muster {

// Makes a new reading only for who may not have the last one. Keeps none: one lives as long as somebody holds it.
// Thread-safe.
class SharedReadings {
 public:
  using Read = std::function<absl::StatusOr<PoolSnapshot>(const std::string& pool_id)>;

  explicit SharedReadings(Read read) : read_(std::move(read)) {}

  // A reading that was taken at `since_ns` (CLOCK_MONOTONIC, not in the future) or later. Errors are read's.
  absl::StatusOr<std::shared_ptr<const WatchReading>> Since(const std::string& pool_id, uint64_t since_ns)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const Read read_;
  Mutex mutex_;
  std::map<std::string, std::weak_ptr<const WatchReading>> last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_SHARED_READINGS_H_
