#include "daemon/cgroup/instance_lock.h"

#include <errno.h>
#include <sys/file.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/errno_status.h"
#include "base/instance_tree.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// flock(2) takes no deadline, so a holder that ends (a janitor at its sweep) is asked again this often.
constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(10);

bool IsGone(const absl::Status& status) { return status.code() == absl::StatusCode::kNotFound; }

// False: somebody else holds it.
absl::StatusOr<bool> TryLock(const CgroupDir& dir) {
  while (flock(dir.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return ErrnoStatus(errno, absl::StrCat("lock cgroup ", dir.label()));
  }
  return true;
}

// The name still leads to the directory that was locked: nobody has removed it between opening and locking.
bool IsCurrent(const CgroupDir& root, absl::string_view name, const CgroupDir& locked) {
  const absl::StatusOr<CgroupDir> current = root.Open(name);
  return current.ok() && current->IsSameDirectory(locked);
}

}  // namespace

absl::StatusOr<LockedInstance> LockInstance(const CgroupDir& base, absl::string_view name, Deadline deadline) {
  while (true) {
    absl::StatusOr<CgroupDir> root = base.Create(kRootCgroup);
    absl::StatusOr<CgroupDir> directory = root.ok() ? root->Create(name) : root.status();
    // The last other instance has just removed the root, or one that starts took our directory for a dead one's.
    if (IsGone(directory.status()) && !deadline.Expired()) continue;
    RETURN_IF_ERROR(directory.status());
    ASSIGN_OR_RETURN(const bool locked, TryLock(*directory));
    if (locked && IsCurrent(*root, name, *directory)) return LockedInstance{*std::move(root), *std::move(directory)};
    if (deadline.Expired()) {
      return absl::FailedPreconditionError(absl::StrCat("instance ", name, " is in use by another daemon (cgroup ",
                                                        directory->label(), " is locked); choose another name"));
    }
    if (!locked) absl::SleepFor(std::min(kAskAgainAfter, deadline.Remaining()));
  }
}

int RemoveStaleInstances(const CgroupDir& root, Deadline deadline) {
  int removed = 0;
  for (const std::string& name : root.Children().value_or(std::vector<std::string>())) {
    const absl::StatusOr<CgroupDir> directory = root.Open(name);
    if (!directory.ok() || !TryLock(*directory).value_or(false) || !IsCurrent(root, name, *directory)) continue;
    // Its owner is dead and so is its janitor, or it has not locked it yet and will make it again. The lock keeps
    // others out until the directory is gone.
    const bool was_used = directory->Open(kWorkloadCgroup).ok();
    const absl::StatusOr<int> killed = RemoveCgroupTree(root, name, deadline);
    if (!was_used && killed.ok()) continue;
    LogWarning(absl::StrCat(
        "instance ", name, " has no owner any more; ",
        killed.ok() ? absl::StrCat("removed, ", *killed, " processes killed") : killed.status().ToString()));
    removed += killed.ok() ? 1 : 0;
  }
  return removed;
}

}  // namespace muster
