// The arena: the shared memory of one pool, as musterd, the pool host and the workers see it.
//
//   header     1 page     written by musterd and the pool host; read-only in workers
//   gate words 4 N bytes  the same; behind them the call words, one for every kWakeFanOut workers (see gate.h)
//   wake order 4 N bytes  the same; position in the wake tree -> worker
//   host table            written by the pool host; not mapped in workers
//   parts                 one per worker, of which he maps his own only: control, kControlBytes, and behind it bulk:
//                         migrations and sample stores
//
// Every region begins on a page. Whatever a worker may have written is hostile input to its readers.
#ifndef MUSTER_WORKER_ARENA_LAYOUT_H_
#define MUSTER_WORKER_ARENA_LAYOUT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "worker/arena/records.h"

namespace muster::arena {

inline constexpr uint64_t kMagic = 0x316e6572616d756d;
inline constexpr uint32_t kVersion = 3;

// Written by musterd before the pool host starts, but for the atomics.
struct Header {
  uint64_t magic;
  uint32_t version;
  uint32_t num_workers;
  uint64_t gate_offset;
  uint64_t order_offset;
  uint64_t host_offset;
  uint64_t parts_offset;
  uint64_t total_bytes;

  // Time of Start; written before the gate words.
  alignas(kLineBytes) std::atomic<uint64_t> released_at_ns;
  // What the release call took.
  std::atomic<uint64_t> release_call_ns;
  // numa_pages_migrated of /proc/vmstat at Start, plus one; written before the gate words. 0: nobody has read it, and
  // each worker does so itself (20 us).
  std::atomic<uint64_t> vmstat_plus_one;
  // Time of Stop; written before `stop`.
  std::atomic<uint64_t> stopped_at_ns;
  // Non-zero: leave the loop. Workers read it in every iteration, so it has a line of its own.
  alignas(kLineBytes) std::atomic<uint32_t> stop;
};
static_assert(sizeof(Header) <= kPageBytes);

// One per worker: bit 0 is open, the other bits count the setups asked for after the first. A worker waits until its
// word changes: an open bit lets it go, a new count makes it run its setup again and wait once more (see gate.h).
using GateWord = std::atomic<uint32_t>;
inline constexpr uint32_t kGateOpenBit = 1;
inline constexpr uint32_t kGateSetupStep = 2;

// How many each worker wakes.
inline constexpr uint32_t kWakeFanOut = 8;
// How many call words there are: one for the root of the tree, and one for those below each worker that has any.
inline constexpr uint64_t NumCallWords(uint64_t workers) {
  return workers == 0 ? 0 : 1 + (workers - 1 + kWakeFanOut - 1) / kWakeFanOut;
}

// How a worker's process or thread ended, as the pool host saw it.
enum class Exit : uint32_t {
  kNone = 0,        // not ended, or not known yet
  kExited = 1,      // exit_value: code
  kSignaled = 2,    // exit_value: signal
  kTimedOut = 3,    // late; swept
  kStuck = 4,       // late, and not reapable within the budget
  kWaitFailed = 5,  // exit_value: errno
};

// The pool host's page on one worker. musterd reads it; the pool host is trusted.
struct HostEntry {
  // Set by musterd when it lays the arena out.
  uint64_t part_offset;
  uint64_t bulk_bytes;
  uint32_t stream_set;
  uint32_t sample_capacity;
  uint32_t migration_capacity;
  uint32_t group_idx;
  // Set by the pool host. pid and tid before Spawn returns.
  std::atomic<int32_t> pid;
  std::atomic<int32_t> tid;
  // Number of the telemetry memfd in the pool host, for a Custom program; -1 otherwise.
  std::atomic<int32_t> telemetry_fd;
  // Written before `exit`.
  std::atomic<int32_t> exit_value;
  std::atomic<Exit> exit;
  // rusage of the reaped process, for Custom.
  std::atomic<uint64_t> cpu_time_ns;
  std::atomic<uint64_t> voluntary_switches;
  std::atomic<uint64_t> involuntary_switches;
  std::atomic<uint64_t> max_rss_bytes;
  std::atomic<uint64_t> reaped_at_ns;
};

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_LAYOUT_H_
