// Histograms of several workers as one.
#ifndef MUSTER_CLIENT_MERGED_HISTOGRAM_H_
#define MUSTER_CLIENT_MERGED_HISTOGRAM_H_

#include <cstdint>
#include <map>
#include <optional>

#include "muster/v1/report.pb.h"

namespace muster {

// Adds counts bucket by bucket, so that percentiles are those of all samples together; percentiles themselves are never
// averaged. Buckets: docs/work-types.md, "Histograms".
class MergedHistogram {
 public:
  // Indexes beyond the documented ones are left out.
  void Add(const v1::Histogram& histogram);

  // Samples; 0: nothing below is there.
  uint64_t count() const { return count_; }
  std::optional<uint64_t> min_ns() const { return count_ == 0 ? std::nullopt : std::optional(min_ns_); }
  std::optional<uint64_t> max_ns() const { return count_ == 0 ? std::nullopt : std::optional(max_ns_); }

  // The nearest-rank percentile, `percent` from 0 to 100, within 1 % of a sample: the middle of its bucket, never
  // beyond the smallest or the largest sample.
  std::optional<uint64_t> PercentileNs(double percent) const;

 private:
  std::map<uint32_t, uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t min_ns_ = UINT64_MAX;
  uint64_t max_ns_ = 0;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_MERGED_HISTOGRAM_H_
