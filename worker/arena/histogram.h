// Log-linear buckets: every value has a bucket whose bounds differ by at most 1/64, so that its midpoint is within 0.8
// %.
#ifndef MUSTER_WORKER_ARENA_HISTOGRAM_H_
#define MUSTER_WORKER_ARENA_HISTOGRAM_H_

#include <bit>
#include <cstdint>

namespace muster::arena {

inline constexpr uint32_t kHistogramSubBits = 6;
// Values from this on (73 minutes in ns) share the last bucket.
inline constexpr uint64_t kHistogramLimit = uint64_t{1} << 42;

// Bucket of a value. Values below 64 have one each; above, each power of two is cut into 64.
constexpr uint32_t BucketOf(uint64_t value) {
  if (value >= kHistogramLimit) value = kHistogramLimit - 1;
  if (value < (1u << kHistogramSubBits)) return static_cast<uint32_t>(value);
  const uint32_t shift = static_cast<uint32_t>(std::bit_width(value)) - 1 - kHistogramSubBits;
  return (shift << kHistogramSubBits) + static_cast<uint32_t>(value >> shift);
}

inline constexpr uint32_t kHistogramBuckets = BucketOf(kHistogramLimit) + 1;

// Smallest value of a bucket.
constexpr uint64_t BucketFloor(uint32_t bucket) {
  if (bucket < (2u << kHistogramSubBits)) return bucket;
  const uint32_t shift = (bucket >> kHistogramSubBits) - 1;
  return static_cast<uint64_t>(bucket - (shift << kHistogramSubBits)) << shift;
}

// The value that stands for a bucket: the middle of its bounds.
constexpr uint64_t BucketMidpoint(uint32_t bucket) { return (BucketFloor(bucket) + BucketFloor(bucket + 1) - 1) / 2; }

}  // namespace muster::arena

#endif  // MUSTER_WORKER_ARENA_HISTOGRAM_H_
