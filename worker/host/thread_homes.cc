#include "worker/host/thread_homes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "worker/control/spec.h"

namespace muster::host {
namespace {

absl::StatusOr<bool> IsThreaded(int directory) {
  const absl::StatusOr<std::string> type = ReadFileAt(directory, "cgroup.type");
  // The root of the hierarchy has no type; it is a domain.
  if (absl::IsNotFound(type.status())) return false;
  RETURN_IF_ERROR(type.status());
  return *type == "threaded\n";
}

// The domain that a cgroup's threads belong to: itself, or the nearest above that is not threaded.
absl::StatusOr<UniqueFd> DomainOf(int directory) {
  ASSIGN_OR_RETURN(UniqueFd domain, OpenAt(directory, ".", O_PATH | O_DIRECTORY));
  while (true) {
    ASSIGN_OR_RETURN(const bool threaded, IsThreaded(domain.get()));
    if (!threaded) return domain;
    ASSIGN_OR_RETURN(domain, OpenAt(domain.get(), "..", O_PATH | O_DIRECTORY));
  }
}

bool IsSameDirectory(int a, int b) {
  struct stat status_a;
  struct stat status_b;
  return fstat(a, &status_a) == 0 && fstat(b, &status_b) == 0 && status_a.st_dev == status_b.st_dev &&
         status_a.st_ino == status_b.st_ino;
}

}  // namespace

absl::StatusOr<ThreadHomes> ThreadHomes::Find(const Pool* pool) {
  ThreadHomes homes;
  homes.pool_ = pool;
  for (const PoolGroup& group : pool->groups()) {
    homes.moves_.push_back(false);
    if (group.cgroup_fd < 0) continue;
    ASSIGN_OR_RETURN(const bool threaded, IsThreaded(group.cgroup_fd));
    ASSIGN_OR_RETURN(UniqueFd domain, DomainOf(group.cgroup_fd));
    homes.moves_.back() = threaded;
    homes.any_moves_ = homes.any_moves_ || threaded;
    if (!homes.birth_.valid()) {
      homes.birth_ = std::move(domain);
    } else if (!IsSameDirectory(homes.birth_.get(), domain.get())) {
      return PreconditionError({"CGROUP_DOMAIN", group.spec.cgroup()},
                               absl::StrCat(GroupPath(group.group_idx),
                                            "cgroup: the workers of this pool share one process, and "
                                            "this cgroup is in another domain than those of the groups before; use "
                                            "THREADED cgroups below one THREADED_ROOT, or clone_mode FORK"));
    }
  }
  return homes;
}

absl::Status ThreadHomes::MoveAll(const Board& board) const {
  for (const PoolGroup& group : pool_->groups()) {
    if (!moves_[group.group_idx]) continue;
    ASSIGN_OR_RETURN(const UniqueFd file, OpenAt(group.cgroup_fd, "cgroup.threads", O_WRONLY));
    for (uint32_t worker = group.first_worker; worker < group.first_worker + group.num_workers; ++worker) {
      const std::string tid = absl::StrCat(board.id(worker));
      if (write(file.get(), tid.data(), tid.size()) < 0) {
        return ErrnoStatus(errno, absl::StrCat("worker ", worker, ": write ", tid, " to cgroup.threads"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace muster::host
