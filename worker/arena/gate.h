// The gate: workers wait until their words change, and wake each other along a tree, so that opening it takes the
// opener the same time for ten workers and for ten thousand. Those below one worker are woken by one call: they sleep
// at a call word that they share, which changes after each change of one of their own words.
#ifndef MUSTER_WORKER_ARENA_GATE_H_
#define MUSTER_WORKER_ARENA_GATE_H_

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "worker/arena/layout.h"

namespace muster::arena {

// The gate as every party sees it. Workers need read access only.
struct Gate {
  GateWord* words = nullptr;  // by worker; behind them the call words
  uint32_t num_workers = 0;

  // The position above this one, which is not the root.
  static uint32_t Above(uint32_t position) { return (position - 1) / kWakeFanOut; }
  // Whether the tree goes on below this position.
  bool HasBelow(uint32_t position) const { return uint64_t{position} * kWakeFanOut + 1 < num_workers; }

  // Where the worker at this position of the tree sleeps; the root has a call word of its own.
  GateWord& CallAt(uint32_t position) const { return position == 0 ? words[num_workers] : CallBelow(Above(position)); }
  // Where those below this position sleep.
  GateWord& CallBelow(uint32_t position) const { return words[num_workers + 1 + position]; }
};

// A worker and its place in the tree.
struct GateSeat {
  uint32_t worker = 0;
  uint32_t position = 0;
};

// Blocks the worker until its word differs from `seen`, or until `timeout` has passed (null: no end; the caller's
// death signal bounds the wait). Returns the word. Async-signal-safe.
uint32_t WaitForChange(const Gate& gate, const GateSeat& seat, uint32_t seen, const timespec* timeout = nullptr);

// The worker at tree position `position` wakes those below it. Each worker does so first of all when it is let go.
// Async-signal-safe.
void WakeChildren(const Gate& gate, uint32_t position);

// Opens all words, those below a worker before his own, and wakes the worker at the root. `wake_order` is the arena's.
// The caller has stored released_at_ns. Idempotent.
void Open(const Gate& gate, const uint32_t* wake_order);

// Asks one worker for another setup; it must be waiting, and the gate closed.
void AskForSetup(const Gate& gate, const GateSeat& seat);

// Wakes the worker at a position, and those who sleep at the same call word, whatever the tree did: for those whose
// wakers are dead, stopped, frozen or starved.
void WakeAt(const Gate& gate, uint32_t position);

// Stores 1 into a stop word, and wakes all who wait for that. seq_cst: against State::kExec; see layout.h.
void RaiseStop(std::atomic<uint32_t>* stop);

// FUTEX_WAIT and FUTEX_WAKE, shared between processes. The wait returns at a wake, a signal, a changed word, the
// timeout.
inline void FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, const timespec* timeout) {
  syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout, nullptr, 0);
}
// The same, until an instant of CLOCK_MONOTONIC. False: it has come.
bool FutexWaitUntil(const std::atomic<uint32_t>* word, uint32_t expected, uint64_t deadline_ns);
// Wakes at most `count` waiters (clamped to INT_MAX) and returns how many.
inline int FutexWake(const std::atomic<uint32_t>* word, uint32_t count) {
  return static_cast<int>(
      syscall(SYS_futex, word, FUTEX_WAKE, std::min<uint32_t>(count, INT_MAX), nullptr, nullptr, 0));
}

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_GATE_H_
