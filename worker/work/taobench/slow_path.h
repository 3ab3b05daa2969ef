// How long Taobench's slow path sleeps, and the numbers that its threads draw.
#ifndef MUSTER_WORKER_WORK_TAOBENCH_SLOW_PATH_H_
#define MUSTER_WORKER_WORK_TAOBENCH_SLOW_PATH_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace muster {

// xorshift64.
inline uint64_t NextRandom(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// A state to begin with, another one for each thread; never 0.
inline uint64_t RandomBegin(uint64_t seed, uint32_t thread) { return ((seed + thread + 1) * 0x9E3779B97F4A7C15u) | 1; }

// Sleeps of one length, or Pareto-distributed ones of a given least and percentile 99. Thread-safe.
class SlowPath {
 public:
  // The tail has no mean when the percentile is more than a hundredfold of the least, so no sleep is longer than this
  // many times the percentile 99.
  static constexpr double kLongestPerP99 = 100;

  // p99_us 0: all sleep least_us. Otherwise least_us is at least 1 and less than p99_us.
  SlowPath(uint64_t least_us, uint64_t p99_us)
      : least_ns_(static_cast<double>(least_us) * 1000),
        longest_ns_(static_cast<double>(p99_us) * 1000 * kLongestPerP99),
        // A hundredth of all exceed least * 100^(1/shape).
        inverse_shape_(
            p99_us == 0 ? 0 : std::log(static_cast<double>(p99_us) / static_cast<double>(least_us)) / std::log(100.0)) {
  }

  // The sleep for a number drawn from all of uint64_t.
  uint64_t SleepNs(uint64_t random) const {
    if (inverse_shape_ == 0) return static_cast<uint64_t>(least_ns_);
    const double uniform = (static_cast<double>(random >> 11) + 1) * 0x1p-53;  // above 0, at most 1
    return static_cast<uint64_t>(std::min(longest_ns_, least_ns_ * std::pow(uniform, -inverse_shape_)));
  }

 private:
  const double least_ns_;
  const double longest_ns_;
  const double inverse_shape_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TAOBENCH_SLOW_PATH_H_
