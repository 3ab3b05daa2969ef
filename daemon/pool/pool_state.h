// The states of a pool and the moves between them, as data.
#ifndef MUSTER_DAEMON_POOL_POOL_STATE_H_
#define MUSTER_DAEMON_POOL_POOL_STATE_H_

#include "daemon/pool/pool_types.h"

namespace muster {

// True when a pool may go from one state to the other; the table is in docs/architecture.md. A move to the same state
// is none.
bool MayMove(PoolState from, PoolState to);

// "READY".
const char* PoolStateName(PoolState state);

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_POOL_STATE_H_
