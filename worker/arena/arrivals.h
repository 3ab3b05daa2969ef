// How workers tell the pool host that a setup is complete, with one wake-up for all of them instead of one each.
#ifndef MUSTER_WORKER_ARENA_ARRIVALS_H_
#define MUSTER_WORKER_ARENA_ARRIVALS_H_

#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace muster::arena {

// Shared, and writable by every worker: a hint for the pool host, which looks at each worker's own words before it believes it.
struct Arrivals {
  std::atomic<uint32_t> count;   // setups completed since the pool host last set it to zero
  std::atomic<uint32_t> target;  // the arrival with this number rings
};

// A worker's end of it.
struct ArrivalBell {
  Arrivals* arrivals = nullptr;  // null: nobody wants to know
  int event_fd = -1;             // an eventfd that the pool host polls
};

// Called by a worker after each completed setup, once its Live.setups and Live.state are stored. Async-signal-safe.
inline void Arrive(const ArrivalBell& bell) {
  if (bell.arrivals == nullptr) return;
  // Release: whoever sees the count sees what the worker stored before it.
  const uint32_t number = bell.arrivals->count.fetch_add(1, std::memory_order_acq_rel) + 1;
  if (number != bell.arrivals->target.load(std::memory_order_acquire)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t done = write(bell.event_fd, &one, sizeof(one));
}

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_ARRIVALS_H_
