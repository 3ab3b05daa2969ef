// Children that do nothing: forked to be reaped.
#ifndef MUSTER_WORKER_PARTS_CHILD_H_
#define MUSTER_WORKER_PARTS_CHILD_H_

#include <sys/types.h>

namespace muster {

// Forks a child that exits with code 0 as its first act; -1 with errno on failure. Safe in a threaded process: the
// child runs no library code, so no lock that a neighbour held at the fork can stop it.
pid_t ForkIdleChild();

// Spares later forks of this process the copying of what an idle child does not need: all but code, the stack and the
// pages around the calling thread's descriptor. For a process whose only thread this is, and which forks by
// ForkIdleChild only. Best effort: where /proc cannot be read, forks cost what they did.
void ForkOnlyWhatIdleChildrenNeed();

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_CHILD_H_
