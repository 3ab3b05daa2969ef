// The cgroups that one pool uses: its own one, those that its spec asks for, and those that were there.
#ifndef MUSTER_DAEMON_POOL_POOL_CGROUPS_H_
#define MUSTER_DAEMON_POOL_POOL_CGROUPS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "daemon/pool/cgroup_provider.h"
#include "daemon/spec/resolve.h"

namespace muster {

// Removes what it made when destroyed: kills what still lives there, in reverse order of making. Acquire comes first,
// on one thread, and CloseDirectories next; the others are thread-safe.
class PoolCgroups {
 public:
  // How long removing may take when nobody says.
  static constexpr absl::Duration kRemoveTimeout = absl::Seconds(5);

  // Told of those that could not be removed.
  using OnLeft = std::function<void(const std::string& name)>;

  // `provider` outlives this object.
  PoolCgroups(CgroupProvider* provider, std::string pool_id, OnLeft on_left)
      : provider_(provider), pool_id_(std::move(pool_id)), on_left_(std::move(on_left)) {}
  ~PoolCgroups() { Remove(Deadline::After(kRemoveTimeout)); }
  PoolCgroups(const PoolCgroups&) = delete;
  PoolCgroups& operator=(const PoolCgroups&) = delete;

  // Makes what the spec asks for and the pool's own one if a group names none, and opens each group's.
  // INVALID_ARGUMENT, NOT_FOUND and ALREADY_EXISTS name the field. RESOURCE_EXHAUSTED: more cgroups than one message to
  // the pool host carries. `may_go_on` is asked before each; its error ends it.
  absl::Status Acquire(const ResolvedSpec& resolved, absl::FunctionRef<absl::Status()> may_go_on);

  // Directories, one per distinct cgroup, and the index of each group's.
  const std::vector<UniqueFd>& directories() const { return directories_; }
  uint32_t IndexOfGroup(uint32_t group_idx) const { return group_index_[group_idx]; }
  // The directories are only needed until the pool host has them.
  void CloseDirectories() { directories_.clear(); }

  // SIGKILL to whatever lives in the cgroups that this pool made.
  void KillMade();

  // Whether the out-of-memory killer has struck in a group's cgroup between Acquire and SettleOomEvidence, or now.
  bool OomKilledInGroup(uint32_t group_idx) const;
  void SettleOomEvidence();

  void Remove(Deadline deadline);

 private:
  absl::Status Open(const std::string& name);
  void NoteMade(const std::string& name);
  bool OomKilledNow(const std::string& name) const;
  absl::Status Reserve();

  // What removing needs of descriptors, held so that a daemon that runs out of them can still clean up.
  static constexpr int kSpareDescriptors = 12;

  CgroupProvider* const provider_;
  const std::string pool_id_;
  const OnLeft on_left_;
  std::vector<UniqueFd> spare_ ABSL_GUARDED_BY(mutex_);
  // Written by Acquire only.
  std::vector<std::string> names_;  // of directories_
  std::vector<UniqueFd> directories_;
  std::vector<uint32_t> group_index_;
  std::map<std::string, uint64_t> oom_kills_;  // before the pool ran; absent: no memory controller

  mutable Mutex mutex_;
  std::vector<std::string> made_ ABSL_GUARDED_BY(mutex_);
  // In the order of names_; empty until it is settled.
  std::vector<bool> oom_evidence_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_POOL_CGROUPS_H_
