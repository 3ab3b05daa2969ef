#include "worker/arena/histogram.h"

#include <cmath>
#include <random>

#include "gtest/gtest.h"

namespace muster::arena {
namespace {

// The relative error of a value that is known by its bucket only.
double ErrorOf(uint64_t value) {
  const double midpoint = static_cast<double>(BucketMidpoint(BucketOf(value)));
  return std::abs(midpoint - static_cast<double>(value)) / std::max<double>(1, static_cast<double>(value));
}

TEST(HistogramTest, TheRelativeErrorIsAtMostOnePercent) {
  for (uint64_t value = 0; value < 1'000'000; ++value) ASSERT_LE(ErrorOf(value), 0.01) << value;
  std::mt19937_64 random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const uint64_t value = random() >> (22 + i % 42);
    ASSERT_LE(ErrorOf(value), 0.01) << value;
  }
}

TEST(HistogramTest, SmallValuesAreExact) {
  for (uint64_t value = 0; value < 128; ++value) EXPECT_EQ(BucketMidpoint(BucketOf(value)), value);
}

TEST(HistogramTest, BucketsAreContiguousAndAscending) {
  for (uint32_t bucket = 0; bucket < kHistogramBuckets; ++bucket) {
    EXPECT_EQ(BucketOf(BucketFloor(bucket)), bucket);
    EXPECT_EQ(BucketOf(BucketFloor(bucket + 1) - 1), bucket) << "up to the next one's floor";
    EXPECT_LT(BucketFloor(bucket), BucketFloor(bucket + 1));
  }
}

TEST(HistogramTest, ValuesBeyondTheLimitShareTheLastBucket) {
  EXPECT_EQ(BucketOf(UINT64_MAX), BucketOf(kHistogramLimit));
  EXPECT_LT(BucketOf(UINT64_MAX), kHistogramBuckets);
  EXPECT_EQ(BucketOf(kHistogramLimit - 1), kHistogramBuckets - 1);
}

TEST(HistogramTest, IsSmall) { EXPECT_LE(kHistogramBuckets * sizeof(uint64_t), 24u * 1'024); }

}  // namespace
}  // namespace muster::arena
