#include "daemon/pool/pool_state.h"

namespace muster {
namespace {

constexpr int kStates = 6;

// Rows: from; columns: to, in the order of PoolState.
constexpr bool kLegalMoves[kStates][kStates] = {
    //           SPAWNING READY  STARTED STOPPING COLLECTED DROPPED
    /* SPAWNING  */ {false, true, false, false, false, true},
    /* READY     */ {false, false, true, false, true, true},
    /* STARTED   */ {false, false, false, true, true, true},
    /* STOPPING  */ {false, false, false, false, true, true},
    /* COLLECTED */ {false, false, false, false, false, true},
    /* DROPPED   */ {false, false, false, false, false, false},
};

constexpr const char* kNames[kStates] = {"SPAWNING", "READY", "STARTED", "STOPPING", "COLLECTED", "DROPPED"};

}  // namespace

bool MayMove(PoolState from, PoolState to) { return kLegalMoves[static_cast<int>(from)][static_cast<int>(to)]; }

const char* PoolStateName(PoolState state) { return kNames[static_cast<int>(state)]; }

}  // namespace muster
