// What glibc and the kernel remember of the calling thread, and a raw clone leaves at the parent's.
#ifndef MUSTER_WORKER_HOST_TASK_IDENTITY_H_
#define MUSTER_WORKER_HOST_TASK_IDENTITY_H_

#include <sys/types.h>

#include <cstddef>

#include "absl/status/statusor.h"

namespace muster::host {

// Addresses in the main thread of a single-threaded process; the same in every copy of it. Value type.
struct TaskIdentity {
  // Where glibc keeps the thread id that its mutexes use as the owner.
  pid_t* cached_tid = nullptr;
  // glibc's list of robust mutexes; not inherited by a clone.
  void* robust_list = nullptr;
  size_t robust_list_bytes = 0;
};

// Finds them for the calling thread, and makes sure of the id's place by what a mutex takes for its owner. The process
// must be single-threaded. Leaves everything as it was.
absl::StatusOr<TaskIdentity> FindTaskIdentity();

// In a raw clone, whose id the kernel has already stored at cached_tid: empties the list of robust mutexes and
// registers it.
void AdoptTaskIdentity(const TaskIdentity& identity);

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_TASK_IDENTITY_H_
