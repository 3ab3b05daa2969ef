// Reading what workers write while they write it. Every byte is taken for hostile: nothing here trusts an index, a
// length or a text, and nothing waits for a worker.
#ifndef MUSTER_WORKER_ARENA_READER_H_
#define MUSTER_WORKER_ARENA_READER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "worker/arena/arena.h"

namespace muster::arena {

// The line that a worker stores after every iteration.
struct LiveReading {
  uint64_t iterations = 0;
  uint64_t work_units = 0;
  uint64_t checkpoint_at_ns = 0;  // 0: none yet
  int32_t last_cpu = -1;          // -1: no checkpoint yet
  State state = State::kNone;     // kNone also for a word that is no state
  uint32_t setups = 0;
};

inline State KnownState(State state) { return state <= State::kExec ? state : State::kNone; }

// Relaxed loads: counters of one worker never go back from one reading to the next, and it is not slowed down.
inline LiveReading ReadLive(const Arena& arena, uint32_t worker) {
  const Live& live = arena.live(worker);
  LiveReading reading;
  reading.iterations = live.iterations.load(std::memory_order_relaxed);
  reading.work_units = live.work_units.load(std::memory_order_relaxed);
  reading.checkpoint_at_ns = live.checkpoint_at_ns.load(std::memory_order_relaxed);
  if (reading.checkpoint_at_ns != 0) reading.last_cpu = live.last_cpu.load(std::memory_order_relaxed);
  reading.state = KnownState(live.state.load(std::memory_order_relaxed));
  reading.setups = live.setups.load(std::memory_order_relaxed);
  return reading;
}

// The newest record that was published; none when there is none, or when the worker overwrites it faster than it can be
// read (one that keeps the protocol cannot).
std::optional<Core> ReadCore(const Control& control);

// What a worker wrote right after the gate; none before that.
std::optional<Evidence> ReadEvidence(const Control& control);

// A worker's last word.
struct FinalRecord {
  Evidence evidence;
  Final final;
  Core core;
  bool panicked = false;
};

// None unless the worker has finished (or panicked) and its checksum is right.
std::optional<FinalRecord> ReadFinal(const Arena& arena, uint32_t worker);

// Of a store; at most its capacity, whatever its total says.
uint64_t NumSamples(const Store& store, uint32_t capacity);

// A text of a worker's as valid UTF-8: up to the first NUL, bytes that are none replaced by '?'.
std::string CleanText(absl::string_view bytes);
template <size_t N>
std::string CleanText(const Text<N>& text) {
  return CleanText(absl::string_view(text.bytes, N));
}

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_READER_H_
