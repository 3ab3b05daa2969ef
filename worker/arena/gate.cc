#include "worker/arena/gate.h"

#include <errno.h>
#include <limits.h>

#include "base/clock.h"

namespace muster::arena {

bool FutexWaitUntil(const std::atomic<uint32_t>* word, uint32_t expected, uint64_t deadline_ns) {
  const timespec deadline = ToTimespec(deadline_ns);
  return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, &deadline, nullptr, FUTEX_BITSET_MATCH_ANY) == 0 ||
         errno != ETIMEDOUT;
}

void RaiseStop(std::atomic<uint32_t>* stop) {
  stop->store(1, std::memory_order_seq_cst);
  FutexWake(stop, INT_MAX);
}

uint32_t WaitForChange(const Gate& gate, const GateSeat& seat, uint32_t seen, const timespec* timeout) {
  const GateWord& word = gate.words[seat.worker];
  const GateWord& call = gate.CallAt(seat.position);
  while (true) {
    // Acquire, and before the worker's word: who sees a call sees the change that it is for, so that whoever has not
    // seen the change cannot fall asleep once the call has changed.
    const uint32_t heard = call.load(std::memory_order_acquire);
    // Acquire: what the opener stored before the word (released_at_ns) is visible to the worker that it lets go.
    const uint32_t value = word.load(std::memory_order_acquire);
    if (value != seen) return value;
    FutexWait(&call, heard, timeout);
    if (timeout != nullptr) return word.load(std::memory_order_acquire);
  }
}

void WakeChildren(const Gate& gate, uint32_t position) {
  if (gate.HasBelow(position)) FutexWake(&gate.CallBelow(position), kWakeFanOut);
}

void Open(const Gate& gate, const uint32_t* wake_order) {
  // From the leaves up: whoever is let go finds all below him let go too. One who was awake passes while this loop is
  // under way, and wakes those below him once only.
  for (uint32_t position = gate.num_workers; position-- > 0;) {
    if (gate.HasBelow(position)) gate.CallBelow(position).fetch_add(1, std::memory_order_release);
    const uint32_t worker = wake_order[position];
    // The pool host wrote the order, and musterd opens.
    if (worker >= gate.num_workers) continue;
    GateWord& word = gate.words[worker];
    word.store(word.load(std::memory_order_relaxed) | kGateOpenBit, std::memory_order_release);
  }
  if (gate.num_workers == 0) return;
  gate.CallAt(0).fetch_add(1, std::memory_order_release);
  WakeAt(gate, 0);
}

void AskForSetup(const Gate& gate, const GateSeat& seat) {
  gate.words[seat.worker].fetch_add(kGateSetupStep, std::memory_order_release);
  gate.CallAt(seat.position).fetch_add(1, std::memory_order_release);
  WakeAt(gate, seat.position);
}

void WakeAt(const Gate& gate, uint32_t position) { FutexWake(&gate.CallAt(position), kWakeFanOut); }

}  // namespace muster::arena
