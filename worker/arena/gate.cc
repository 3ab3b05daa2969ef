#include "worker/arena/gate.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"

namespace muster::arena {

void FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, const timespec* timeout) {
  syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout, nullptr, 0);
}

bool FutexWaitUntil(const std::atomic<uint32_t>* word, uint32_t expected, uint64_t deadline_ns) {
  const timespec deadline = ToTimespec(deadline_ns);
  return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, &deadline, nullptr, FUTEX_BITSET_MATCH_ANY) == 0 ||
         errno != ETIMEDOUT;
}

int FutexWake(const std::atomic<uint32_t>* word, uint32_t count) {
  return static_cast<int>(
      syscall(SYS_futex, word, FUTEX_WAKE, std::min<uint32_t>(count, INT_MAX), nullptr, nullptr, 0));
}

void RaiseStop(std::atomic<uint32_t>* stop) {
  stop->store(1, std::memory_order_seq_cst);
  FutexWake(stop, INT_MAX);
}

uint32_t WaitForChange(const Gate& gate, uint32_t worker, uint32_t seen, const timespec* timeout) {
  const GateWord& word = gate.words[worker];
  while (true) {
    // Acquire: what the opener stored before the word (released_at_ns) is visible to the worker that it lets go.
    const uint32_t value = word.load(std::memory_order_acquire);
    if (value != seen) return value;
    FutexWait(&word, seen, timeout);
    if (timeout != nullptr) return word.load(std::memory_order_acquire);
  }
}

void WakeChildren(const Gate& gate, uint32_t position) {
  for (uint64_t child = uint64_t{position} * 2 + 1; child <= uint64_t{position} * 2 + 2; ++child) {
    if (child < gate.num_workers) FutexWake(&gate.words[gate.wake_order[child]], 1);
  }
}

void Open(const Gate& gate) {
  for (uint32_t worker = 0; worker < gate.num_workers; ++worker) {
    GateWord& word = gate.words[worker];
    word.store(word.load(std::memory_order_relaxed) | kGateOpenBit, std::memory_order_release);
  }
  if (gate.num_workers > 0) FutexWake(&gate.words[gate.wake_order[0]], 1);
}

void AskForSetup(const Gate& gate, uint32_t worker) {
  gate.words[worker].fetch_add(kGateSetupStep, std::memory_order_release);
  FutexWake(&gate.words[worker], 1);
}

void WakeOne(const Gate& gate, uint32_t worker) { FutexWake(&gate.words[worker], 1); }

}  // namespace muster::arena
