// sched_setattr(2) and sched_getattr(2), which this glibc does not wrap.
#ifndef MUSTER_WORKER_CORE_SCHED_ATTR_H_
#define MUSTER_WORKER_CORE_SCHED_ATTR_H_

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace muster {

// The kernel's struct sched_attr; linux/sched/types.h cannot be included beside glibc's sched.h.
struct SchedAttr {
  uint32_t size = 0;
  uint32_t sched_policy = 0;
  uint64_t sched_flags = 0;
  int32_t sched_nice = 0;
  uint32_t sched_priority = 0;
  uint64_t sched_runtime = 0;
  uint64_t sched_deadline = 0;
  uint64_t sched_period = 0;
};

// Of linux/sched.h, for the same reason.
inline constexpr uint32_t kSchedDeadline = 6;
inline constexpr uint32_t kSchedExt = 7;

// Of the calling thread; false and errno when it fails.
inline bool GetSchedAttr(SchedAttr* attr) {
  *attr = {};
  return syscall(SYS_sched_getattr, 0, attr, sizeof(*attr), 0) == 0;
}

inline bool SetSchedAttr(SchedAttr attr) {
  attr.size = sizeof(attr);
  return syscall(SYS_sched_setattr, 0, &attr, 0) == 0;
}

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_SCHED_ATTR_H_
