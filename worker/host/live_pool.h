// A pool whose workers exist.
#ifndef MUSTER_WORKER_HOST_LIVE_POOL_H_
#define MUSTER_WORKER_HOST_LIVE_POOL_H_

#include <cstdint>
#include <map>
#include <vector>

#include "base/cpu_set.h"
#include "base/unique_fd.h"
#include "worker/arena/arena.h"
#include "worker/arena/gate.h"
#include "worker/host/board.h"
#include "worker/host/pool.h"
#include "worker/host/shared_view.h"
#include "worker/host/tasks.h"

namespace muster::host {

// Owns the pool's memory, descriptors and unreaped children. Not movable: its parts point to each other.
struct LivePool {
  LivePool() = default;
  LivePool(const LivePool&) = delete;
  LivePool& operator=(const LivePool&) = delete;

  Pool pool;
  arena::Arena arena;
  SharedView view;
  Board board;
  Tasks tasks{&arena};
  std::vector<UniqueFd> telemetry;  // of programs
  std::map<uint32_t, CpuSet> pins;  // by worker: set by Place, over what its setup asks for

  arena::Gate gate() const { return {arena.gate(), arena.num_workers()}; }
  bool is_open() const { return (arena.gate()[0].load(std::memory_order_acquire) & arena::kGateOpenBit) != 0; }
  // By the worker's own word; hostile input.
  arena::State StateOf(uint32_t worker) const { return arena.live(worker).state.load(std::memory_order_acquire); }
};

}  // namespace muster::host

#endif  // MUSTER_WORKER_HOST_LIVE_POOL_H_
