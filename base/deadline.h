// One total deadline over several steps, on the monotonic clock.
#ifndef MUSTER_BASE_DEADLINE_H_
#define MUSTER_BASE_DEADLINE_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "absl/time/time.h"
#include "base/later.h"

namespace muster {

// Value type. An infinite or very long timeout is cut as Later does, so that arithmetic on it never overflows.
class Deadline {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `timeout` from now; a negative one has expired already.
  static Deadline After(absl::Duration timeout) {
    return Deadline(Later(std::chrono::steady_clock::now(), std::max(timeout, absl::ZeroDuration())));
  }

  // Never negative.
  absl::Duration Remaining() const {
    return std::max(absl::ZeroDuration(), absl::FromChrono(when_ - std::chrono::steady_clock::now()));
  }

  bool Expired() const { return Remaining() == absl::ZeroDuration(); }

  // For poll(2): rounded up, so that a wait never ends just before the deadline; cut at a day, so callers loop.
  int PollTimeoutMs() const {
    const int64_t ms = absl::ToInt64Milliseconds(Remaining() + absl::Milliseconds(1) - absl::Nanoseconds(1));
    return static_cast<int>(std::min<int64_t>(ms, 24 * 3600 * 1000));
  }

  TimePoint when() const { return when_; }

  friend Deadline Earlier(Deadline a, Deadline b) { return a.when_ < b.when_ ? a : b; }

 private:
  explicit Deadline(TimePoint when) : when_(when) {}

  TimePoint when_;
};

}  // namespace muster

#endif  // MUSTER_BASE_DEADLINE_H_
