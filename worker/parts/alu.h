// Four independent multiplication chains, scalar or in vectors: work of high instruction-level parallelism.
#ifndef MUSTER_WORKER_PARTS_ALU_H_
#define MUSTER_WORKER_PARTS_ALU_H_

#include <cstdint>

#include "muster/v1/work.pb.h"

namespace muster {

// What carries the chains from one call to the next; wraps, never traps.
struct AluState {
  uint64_t lanes[4][8] = {{1, 2, 3, 4, 5, 6, 7, 8},
                          {11, 12, 13, 14, 15, 16, 17, 18},
                          {21, 22, 23, 24, 25, 26, 27, 28},
                          {31, 32, 33, 34, 35, 36, 37, 38}};
};

// Advances each of the four chains by `steps` multiply-and-add steps. Scalar chains use lane 0 only, vectors of w bits
// use w / 64 lanes.
using AluFunction = void (*)(AluState& state, uint64_t steps);

// True when this CPU (and the kernel) can run vectors of that width. AMX is never run.
bool CpuHasAluWidth(v1::AluWidth width);

// The width that `wanted` comes down to here: itself, or the widest below it that the CPU has; WIDEST and AMX are the
// widest.
v1::AluWidth LowerAluWidth(v1::AluWidth wanted);

// The chains of a width that the CPU has.
AluFunction AluChains(v1::AluWidth width);

}  // namespace muster

#endif  // MUSTER_WORKER_PARTS_ALU_H_
