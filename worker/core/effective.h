// What is in force for the calling thread, as the kernel says.
#ifndef MUSTER_WORKER_CORE_EFFECTIVE_H_
#define MUSTER_WORKER_CORE_EFFECTIVE_H_

#include "worker/arena/layout.h"

namespace muster {

using PolicyText = arena::Text<sizeof(arena::Evidence{}.policy)>;

// Each is a system call or two and takes no memory from the heap. What cannot be read stays empty.

// CPUs that the thread may run on, one bit per id.
void ReadEffectiveCpus(uint64_t (&words)[(arena::kMaxCpuId + 1) / 64]);

// "SCHED_FIFO 50", "SCHED_OTHER nice 5", "SCHED_DEADLINE 1000000/10000000/10000000" (runtime, deadline, period in ns).
void ReadEffectivePolicy(PolicyText* text);

// "bind:0-1", "preferred:0", "bind=static:2", "local"; empty for the system's default.
void ReadEffectiveMemPolicy(PolicyText* text);

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_EFFECTIVE_H_
