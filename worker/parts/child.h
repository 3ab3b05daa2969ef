// Children that do nothing: forked to be reaped.
#ifndef MUSTER_WORKER_PARTS_CHILD_H_
#define MUSTER_WORKER_PARTS_CHILD_H_

#include <sys/types.h>

namespace muster {

// Forks a child that exits with code 0 as its first act; -1 with errno on failure. Safe in a threaded process: the
// child runs no library code, so no lock that a neighbour held at the fork can stop it.
pid_t ForkIdleChild();

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_CHILD_H_
