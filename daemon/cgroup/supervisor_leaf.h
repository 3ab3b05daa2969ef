// Where the daemon itself lives when its cgroup is a delegated one.
#ifndef MUSTER_DAEMON_CGROUP_SUPERVISOR_LEAF_H_
#define MUSTER_DAEMON_CGROUP_SUPERVISOR_LEAF_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/cgroup_dir.h"

namespace muster {

// This process's stay in BASE/supervisor. The destructor moves it back to where it was and removes the leaf, both as
// far as the kernel allows: it refuses while others use the leaf, or BASE hands controllers down.
class SupervisorLeaf {
 public:
  // `own` is where this process is now.
  static absl::StatusOr<std::unique_ptr<SupervisorLeaf>> Enter(const CgroupDir& base, const CgroupDir& own);

  SupervisorLeaf(const SupervisorLeaf&) = delete;
  SupervisorLeaf& operator=(const SupervisorLeaf&) = delete;
  ~SupervisorLeaf();

 private:
  SupervisorLeaf(CgroupDir base, CgroupDir from) : base_(std::move(base)), from_(std::move(from)) {}

  const CgroupDir base_;
  const CgroupDir from_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_CGROUP_SUPERVISOR_LEAF_H_
