// The monotonic clock that every time in a report is read from.
#ifndef MUSTER_BASE_CLOCK_H_
#define MUSTER_BASE_CLOCK_H_

#include <time.h>

#include <cstdint>

namespace muster {

// Nanoseconds of `clock`. CLOCK_MONOTONIC is served by the vDSO (about 30 ns).
inline uint64_t ClockNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t MonotonicNs() { return ClockNs(CLOCK_MONOTONIC); }

}  // namespace muster

#endif  // MUSTER_BASE_CLOCK_H_
