#include "client/percentile.h"

#include <algorithm>
#include <cmath>

namespace muster {

std::optional<uint64_t> Percentile(std::vector<uint64_t> samples, double percent) {
  if (samples.empty()) return std::nullopt;
  const double share = std::clamp(percent, 0.0, 100.0) / 100.0;
  const double rank = std::ceil(share * static_cast<double>(samples.size()));
  const size_t index = rank < 1 ? 0 : static_cast<size_t>(rank) - 1;
  std::nth_element(samples.begin(), samples.begin() + index, samples.end());
  return samples[index];
}

}  // namespace muster
