// Making processes by clone3: born in a cgroup, without glibc's fork handlers, and with the ids that glibc believes in.
#ifndef MUSTER_WORKER_HOST_CLONER_H_
#define MUSTER_WORKER_HOST_CLONER_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "worker/host/task_identity.h"

namespace muster::host {

// What kind of child.
struct CloneRequest {
  // Directory of the cgroup that it is born in; -1: the caller's own.
  int cgroup_fd = -1;
  // Its parent is the caller's parent. The signal at its end is then the one that the caller's own end sends.
  bool as_sibling = false;
  // Where the kernel stores the child's pid before the child runs; null: nowhere.
  pid_t* pid_out = nullptr;
};

// Clones the calling process, which must be single-threaded. Thread-compatible.
class Cloner {
 public:
  virtual ~Cloner() = default;

  // Returns as fork does, twice: 0 in the child, its pid in the parent, -errno in the parent when there is none.
  virtual pid_t Clone(const CloneRequest& request) = 0;
};

// The real one.
class KernelCloner : public Cloner {
 public:
  static absl::StatusOr<KernelCloner> Create();
  pid_t Clone(const CloneRequest& request) override;

 private:
  explicit KernelCloner(const TaskIdentity& identity) : identity_(identity) {}

  TaskIdentity identity_;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_CLONER_H_
