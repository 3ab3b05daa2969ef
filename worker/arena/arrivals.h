// How workers tell the pool host that a setup is complete, with one wake-up for all of them instead of one each.
#ifndef MUSTER_WORKER_ARENA_ARRIVALS_H_
#define MUSTER_WORKER_ARENA_ARRIVALS_H_

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace muster::arena {

// A point that all workers of a pool come to at about the same time. Those that have passed it wait for the others.
struct Crossing {
  std::atomic<uint32_t> passed;  // by how many
  std::atomic<uint32_t> clear;   // 1: by all
};

// Shared, and writable by every worker: a hint for the pool host, which looks at each worker's own words before it
// believes it, and for the workers themselves, which wait for no longer than a bound.
struct Arrivals {
  Crossing started;              // behind the first instruction
  Crossing stopped;              // behind the loop; who becomes a program has passed before
  std::atomic<uint32_t> count;   // setups completed since the pool host last set it to zero
  std::atomic<uint32_t> target;  // the arrival with this number rings
};

// For how long a worker waits for its siblings at a crossing, at most: 5 ms and 200 us for each that a CPU has to run,
// together no more than a second. Passing takes a worker 30 to 100 us, the switch to it and its page faults included.
inline uint64_t LongestPassingNs(uint64_t workers, uint64_t cpus) {
  return std::min<uint64_t>(1'000'000'000, 5'000'000 + workers * 200'000 / cpus);
}

// Counts one worker of `workers`; the last one wakes those that wait.
void Pass(Crossing& crossing, uint32_t workers);

// Waits until all have passed, or until deadline_ns, or, where `stop` is given, until it is not zero.
void AwaitPassing(Crossing& crossing, uint64_t deadline_ns, const std::atomic<uint32_t>* stop);

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
