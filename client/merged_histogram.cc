#include "client/merged_histogram.h"

#include <algorithm>
#include <cmath>

namespace muster {
namespace {

constexpr uint32_t kBuckets = 2368;

uint64_t Floor(uint32_t bucket) { return bucket < 128 ? bucket : uint64_t{bucket % 64 + 64} << (bucket / 64 - 1); }

uint64_t Middle(uint32_t bucket) { return (Floor(bucket) + Floor(bucket + 1) - 1) / 2; }

}  // namespace

void MergedHistogram::Add(const v1::Histogram& histogram) {
  const int buckets = std::min(histogram.bucket_index_size(), histogram.bucket_count_size());
  uint64_t added = 0;
  for (int i = 0; i < buckets; ++i) {
    if (histogram.bucket_index(i) >= kBuckets) continue;
    buckets_[histogram.bucket_index(i)] += histogram.bucket_count(i);
    added += histogram.bucket_count(i);
  }
  if (added == 0) return;
  count_ += added;
  min_ns_ = std::min(min_ns_, histogram.min_ns());
  max_ns_ = std::max(max_ns_, histogram.max_ns());
}

std::optional<uint64_t> MergedHistogram::PercentileNs(double percent) const {
  if (count_ == 0) return std::nullopt;
  if (percent <= 0) return min_ns_;
  const double rank = std::max(1.0, std::ceil(percent / 100.0 * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (const auto& [bucket, count] : buckets_) {
    seen += count;
    if (static_cast<double>(seen) >= rank && percent < 100) return std::max(min_ns_, std::min(max_ns_, Middle(bucket)));
  }
  return max_ns_;
}

}  // namespace muster
