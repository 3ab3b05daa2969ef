// Whether a test may have real-time work at all.
#ifndef MUSTER_WORKER_WORK_TESTING_REAL_TIME_H_
#define MUSTER_WORKER_WORK_TESTING_REAL_TIME_H_

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace muster {

// Tried by a child, on CPU 1, for an instant. False without CAP_SYS_NICE, and below a cgroup that has no real-time
// budget.
inline bool RealTimeIsAllowed() {
  const pid_t child = fork();
  if (child == 0) {
    cpu_set_t cpu_1;
    CPU_ZERO(&cpu_1);
    CPU_SET(1, &cpu_1);
    const sched_param lowest = {.sched_priority = 1};
    const bool allowed =
        sched_setaffinity(0, sizeof(cpu_1), &cpu_1) == 0 && sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
    _exit(allowed ? 0 : 1);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TESTING_REAL_TIME_H_
