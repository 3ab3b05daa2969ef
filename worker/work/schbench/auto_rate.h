// The rate of requests that keeps CPUs busy for a wanted share of their time: schbench's -A.
#ifndef MUSTER_WORKER_WORK_SCHBENCH_AUTO_RATE_H_
#define MUSTER_WORKER_WORK_SCHBENCH_AUTO_RATE_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/cpu_set.h"
#include "base/cpu_times.h"

namespace muster {

// The rate to follow `rate` (requests per second) after a second at which CPUs were busy for `busy_percent`: in
// proportion to what is missing, at most threefold and at least three tenths, and in smaller steps near the target. At
// least 1, at most kMaxAutoRate.
double NextRate(double rate, double busy_percent, double target_percent);

inline constexpr double kMaxAutoRate = 10'000'000;

// Where it begins when no rate is given.
inline constexpr uint64_t kFirstAutoRate = 10;

// Gives the rate for each period from what /proc/stat says of it. Owned by one thread.
class AutoRate {
 public:
  AutoRate(double target_percent, CpuSet cpus, double first_rate)
      : target_percent_(target_percent), cpus_(std::move(cpus)), rate_(first_rate) {}

  double rate() const { return rate_; }

  // Takes the text of /proc/stat at the end of a period; the first call begins one.
  absl::Status EndPeriod(absl::string_view stat);

 private:
  const double target_percent_;
  const CpuSet cpus_;
  double rate_;
  std::optional<CpuTimes> before_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_SCHBENCH_AUTO_RATE_H_
