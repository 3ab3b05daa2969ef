#include "worker/arena/arrivals.h"

#include <limits.h>

#include "worker/arena/gate.h"

namespace muster::arena {

void Pass(Crossing& crossing, uint32_t workers) {
  if (crossing.passed.fetch_add(1, std::memory_order_relaxed) + 1 != workers) return;
  crossing.clear.store(1, std::memory_order_relaxed);
  FutexWake(&crossing.clear, INT_MAX);
}

void AwaitPassing(Crossing& crossing, uint64_t deadline_ns, const std::atomic<uint32_t>* stop) {
  // Relaxed: nothing is handed over, it is only about when.
  while (crossing.clear.load(std::memory_order_relaxed) == 0) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed) != 0) return;
    // Reading the clock instead would be a worker's first time to do so: a page fault, while others wait for the CPU.
    if (!FutexWaitUntil(&crossing.clear, 0, deadline_ns)) return;
  }
}

}  // namespace muster::arena
