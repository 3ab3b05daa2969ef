// Every blocking call that a step may make. Each ends within 100 ms of a stop.
//
// The stop word is written and woken first, then the pool host signals SIGUSR1 to those that it takes to block, and
// repeats it every 50 ms or sooner until the worker has left its loop. The repetition closes the window between looking
// at the stop word and blocking, so that the common case is one plain system call. Futex waits are cut into slices
// besides, and sleeps longer than a slice wait at the stop word until shortly before their end: neither needs a signal.
#ifndef MUSTER_WORKER_CORE_BLOCKING_H_
#define MUSTER_WORKER_CORE_BLOCKING_H_

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "worker/arena/gate.h"
#include "worker/meter/meter.h"

namespace muster {

// Longest futex wait, and longest sleep, that a stop does not end at once.
inline constexpr uint64_t kBlockSliceNs = 100'000'000;

// The results say: true when it happened, false when the pool was stopped first.

// Waits until *word differs from `value`.
[[nodiscard]] inline bool FutexWaitWhile(const Meter& meter, const std::atomic<uint32_t>& word, uint32_t value);

// One wait, for loops with conditions of their own: returns at a wake, a signal, after a slice, or at once when *word
// is not `expected`. The caller looks at its condition and at meter.stopping() again.
inline void FutexWaitSlice(const std::atomic<uint32_t>& word, uint32_t expected);

// One byte from or to a blocking descriptor. Also false at the end of the file and on errors.
[[nodiscard]] inline bool ReadByte(const Meter& meter, int fd, char* byte);
[[nodiscard]] inline bool WriteByte(const Meter& meter, int fd, char byte);

// Sleeps to an instant of CLOCK_MONOTONIC, or for a time.
[[nodiscard]] bool SleepUntil(const Meter& meter, uint64_t deadline_ns);
[[nodiscard]] bool SleepFor(const Meter& meter, uint64_t ns);

// Waits for a child of the caller and reaps it; `status` as waitpid's. When the pool was stopped first, or waiting
// fails, the child is killed, and reaped if that takes no longer than a slice.
[[nodiscard]] bool WaitForChild(const Meter& meter, pid_t child, int* status);

// Blocks until the pool is stopped.
void WaitForStop(const Meter& meter);

// ---- in line: behind a switch of tasks each return to a caller is mispredicted, so what blocks is called from as few
// functions as can be ----

inline void FutexWaitSlice(const std::atomic<uint32_t>& word, uint32_t expected) {
  const timespec slice = ToTimespec(kBlockSliceNs);
  arena::FutexWait(&word, expected, &slice);
}

inline bool FutexWaitWhile(const Meter& meter, const std::atomic<uint32_t>& word, uint32_t value) {
  // Acquire: what the waker wrote before it changed the word is visible.
  while (word.load(std::memory_order_acquire) == value) {
    if (meter.stopping()) return false;
    FutexWaitSlice(word, value);
  }
  return true;
}

// Not for callers: the same two, when the first try was no success.
bool ReadByteAgain(const Meter& meter, int fd, char* byte);
bool WriteByteAgain(const Meter& meter, int fd, char byte);

inline bool ReadByte(const Meter& meter, int fd, char* byte) {
  if (!meter.stopping() && read(fd, byte, 1) == 1) [[likely]]
    return true;
  return ReadByteAgain(meter, fd, byte);
}

inline bool WriteByte(const Meter& meter, int fd, char byte) {
  if (!meter.stopping() && write(fd, &byte, 1) == 1) [[likely]]
    return true;
  return WriteByteAgain(meter, fd, byte);
}

}  // namespace muster

#endif  // MUSTER_WORKER_CORE_BLOCKING_H_
