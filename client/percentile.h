// Percentiles of sample vectors.
#ifndef MUSTER_CLIENT_PERCENTILE_H_
#define MUSTER_CLIENT_PERCENTILE_H_

#include <cstdint>
#include <optional>
#include <vector>

namespace muster {

// The nearest-rank percentile, `percent` from 0 to 100: the smallest sample that at least that share of the samples
// does not exceed. 0 is the smallest, 100 the largest. Absent without samples. Reports carry a uniform sample of what
// happened; how much happened is in their *_sample_total.
std::optional<uint64_t> Percentile(std::vector<uint64_t> samples, double percent);

}  // namespace muster

#endif  // MUSTER_CLIENT_PERCENTILE_H_
