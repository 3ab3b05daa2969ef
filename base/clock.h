// The monotonic clock that every time in a report is read from.
#ifndef MUSTER_BASE_CLOCK_H_
#define MUSTER_BASE_CLOCK_H_

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <optional>

namespace muster {

// Nanoseconds of `clock`. CLOCK_MONOTONIC is served by the vDSO (about 30 ns).
inline uint64_t ClockNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t MonotonicNs() { return ClockNs(CLOCK_MONOTONIC); }

// CPU time of all threads of a process so far; nullopt: there is no such process.
inline std::optional<uint64_t> ProcessCpuNs(pid_t pid) {
  clockid_t clock = 0;
  timespec used;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return std::nullopt;
  return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(used.tv_nsec);
}

// For system calls.
inline timespec ToTimespec(uint64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

}  // namespace muster

#endif  // MUSTER_BASE_CLOCK_H_
