// Cgroups of pools that could not be removed in time.
#ifndef MUSTER_DAEMON_POOL_LEFT_CGROUPS_H_
#define MUSTER_DAEMON_POOL_LEFT_CGROUPS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "daemon/pool/cgroup_provider.h"

namespace muster {

// Remembers them and tries again, so that their names become free. Thread-safe.
class LeftCgroups {
 public:
  static constexpr absl::Duration kPause = absl::Seconds(2);

  // `provider` outlives this object.
  explicit LeftCgroups(CgroupProvider* provider) : provider_(provider) {}

  void Add(const std::string& name);
  // When to call Retry next, on the monotonic clock; UINT64_MAX: there is none.
  uint64_t next_ns() const;
  // Tries each again, with that time for each, leaves first when they were added so.
  void Retry(absl::Duration timeout);

 private:
  struct Left {
    std::string name;
    // Another of the same name is not ours.
    uint64_t identity = 0;
  };

  bool IsGone(const Left& left, absl::Duration timeout) const;

  CgroupProvider* const provider_;
  mutable Mutex mutex_;
  std::vector<Left> left_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ns_ ABSL_GUARDED_BY(mutex_) = UINT64_MAX;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_LEFT_CGROUPS_H_
