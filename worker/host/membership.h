// What makes many moves into a cgroup, or births in one, cheap. Nothing here changes what they do.
#ifndef MUSTER_WORKER_HOST_MEMBERSHIP_H_
#define MUSTER_WORKER_HOST_MEMBERSHIP_H_

#include <cstdint>

#include "base/cpu_set.h"

namespace muster::host {

// For each task that enters a cgroup the kernel looks at the permissions of cgroup.procs, there and in the nearest
// cgroup above both ends, and makes the inode for that alone, unless the file has been looked up before. This looks it
// up, in the cgroup of that directory and in all above it.
void LookUpMembershipFiles(int directory);

// Lets the caller act from the CPUs of those whom it moves: for each moved task the kernel runs a function on the CPU
// where the task is, or was last, which from elsewhere is an interrupt and a wait for its end. The destructor lets the
// caller run where it could before.
class CpuVisit {
 public:
  CpuVisit();
  CpuVisit(const CpuVisit&) = delete;
  CpuVisit& operator=(const CpuVisit&) = delete;
  ~CpuVisit();

  // Stays where it is when the caller may not run there.
  void GoTo(uint32_t cpu);

 private:
  CpuSet home_;  // empty: not known, and nothing is done
  bool away_ = false;
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_MEMBERSHIP_H_
