#include "client/merged_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace muster {
namespace {

constexpr double kPercents[] = {50, 90, 99, 99.9};

// The bucket of a value as the document has it, written the other way round than the code under test.
uint32_t BucketOf(uint64_t value) {
  uint32_t bucket = static_cast<uint32_t>(value);
  for (uint32_t shift = 0; value >= 128; ++shift) {
    value /= 2;
    bucket = (shift + 1) * 64 + static_cast<uint32_t>(value);
  }
  return bucket;
}

v1::Histogram HistogramOf(const std::vector<uint64_t>& samples) {
  std::map<uint32_t, uint64_t> buckets;
  for (const uint64_t sample : samples) ++buckets[BucketOf(sample)];
  v1::Histogram histogram;
  histogram.set_count(samples.size());
  histogram.set_min_ns(*std::min_element(samples.begin(), samples.end()));
  histogram.set_max_ns(*std::max_element(samples.begin(), samples.end()));
  for (const auto& [bucket, count] : buckets) {
    histogram.add_bucket_index(bucket);
    histogram.add_bucket_count(count);
  }
  return histogram;
}

uint64_t NearestRank(std::vector<uint64_t> samples, double percent) {
  std::sort(samples.begin(), samples.end());
  const double rank = percent / 100.0 * static_cast<double>(samples.size());
  return samples[std::max<size_t>(1, static_cast<size_t>(rank + 0.999999)) - 1];
}

TEST(MergedHistogramTest, PercentilesOfTheWholeAreWithinOnePercentAndNoAverages) {
  // A fast worker with many samples, a slow one with few: averages would be far off.
  std::vector<uint64_t> fast;
  std::vector<uint64_t> slow;
  for (uint64_t i = 0; i < 100'000; ++i) fast.push_back(1'000 + i % 997);
  for (uint64_t i = 0; i < 500; ++i) slow.push_back(5'000'000 + i * 12'345);
  MergedHistogram merged;
  merged.Add(HistogramOf(fast));
  merged.Add(HistogramOf(slow));
  std::vector<uint64_t> all = fast;
  all.insert(all.end(), slow.begin(), slow.end());
  EXPECT_EQ(merged.count(), all.size());
  for (const double percent : kPercents) {
    const double exact = static_cast<double>(NearestRank(all, percent));
    EXPECT_NEAR(static_cast<double>(*merged.PercentileNs(percent)), exact, exact / 100) << percent;
  }
  EXPECT_EQ(merged.PercentileNs(0), 1'000u);
  EXPECT_EQ(merged.PercentileNs(100), slow.back());
}

TEST(MergedHistogramTest, TheOrderOfMergingDoesNotMatter) {
  const v1::Histogram a = HistogramOf({1, 2, 3, 70'000});
  const v1::Histogram b = HistogramOf({100, 200, 300'000'000});
  MergedHistogram ab;
  ab.Add(a);
  ab.Add(b);
  MergedHistogram ba;
  ba.Add(b);
  ba.Add(a);
  for (const double percent : kPercents) EXPECT_EQ(ab.PercentileNs(percent), ba.PercentileNs(percent));
  EXPECT_EQ(ab.min_ns(), 1u);
  EXPECT_EQ(ab.max_ns(), 300'000'000u);
}

TEST(MergedHistogramTest, AnEmptyOneChangesNothingAndHasNoPercentile) {
  MergedHistogram merged;
  merged.Add(v1::Histogram());
  EXPECT_EQ(merged.PercentileNs(50), std::nullopt);
  EXPECT_EQ(merged.min_ns(), std::nullopt);
  merged.Add(HistogramOf({40}));
  merged.Add(v1::Histogram());
  EXPECT_EQ(merged.min_ns(), 40u);
  EXPECT_EQ(merged.PercentileNs(50), 40u);
}

TEST(MergedHistogramTest, BucketsThatDoNotExistAreLeftOut) {
  v1::Histogram broken = HistogramOf({40});
  broken.add_bucket_index(4'000'000'000);
  broken.add_bucket_count(7);
  broken.add_bucket_index(3);
  MergedHistogram merged;
  merged.Add(broken);
  EXPECT_EQ(merged.count(), 1u);
  EXPECT_EQ(merged.PercentileNs(99), 40u);
}

}  // namespace
}  // namespace muster
