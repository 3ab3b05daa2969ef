#include "worker/host/cloner.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/status_macros.h"

namespace muster::host {

absl::StatusOr<KernelCloner> KernelCloner::Create() {
  ASSIGN_OR_RETURN(const TaskIdentity identity, FindTaskIdentity());
  return KernelCloner(identity);
}

pid_t KernelCloner::Clone(const CloneRequest& request) {
  clone_args args = {};
  args.flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  args.child_tid = reinterpret_cast<uintptr_t>(identity_.cached_tid);
  // With CLONE_PARENT the kernel takes the exit signal from the caller and refuses one here; clone(2).
  args.exit_signal = request.as_sibling ? 0 : SIGCHLD;
  if (request.as_sibling) args.flags |= CLONE_PARENT;
  if (request.cgroup_fd >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = request.cgroup_fd;
  }
  if (request.pid_out != nullptr) {
    args.flags |= CLONE_PARENT_SETTID;
    args.parent_tid = reinterpret_cast<uintptr_t>(request.pid_out);
  }
  const long pid = syscall(SYS_clone3, &args, sizeof(args));
  if (pid < 0) return -errno;
  if (pid == 0) AdoptTaskIdentity(identity_);
  return static_cast<pid_t>(pid);
}

}  // namespace muster::host
