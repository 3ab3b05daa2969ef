// Instants by a clock that is given.
#ifndef MUSTER_BASE_LATER_H_
#define MUSTER_BASE_LATER_H_

#include <algorithm>
#include <chrono>

#include "absl/time/time.h"

namespace muster {

// `duration` after `from`; a year after it for an infinite or a longer one, which could overflow.
inline std::chrono::steady_clock::time_point Later(std::chrono::steady_clock::time_point from,
                                                   absl::Duration duration) {
  return from + absl::ToChronoNanoseconds(std::min(duration, absl::Hours(24 * 365)));
}

}  // namespace muster

#endif  // MUSTER_BASE_LATER_H_
