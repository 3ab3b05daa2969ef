// Time as a group could use it, so that a bound means the same on an idle machine and on a busy one.
#ifndef MUSTER_WORKER_WORK_TESTING_CPU_SHARE_H_
#define MUSTER_WORKER_WORK_TESTING_CPU_SHARE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "base/cpu_set.h"
#include "base/test_run.h"

namespace muster {

// What a sanitizer makes of a millisecond.
inline constexpr int kSlowdown = kUnderSanitizer ? 20 : 1;

// What processes had of their CPUs since the construction: the time that they ran, and that for which the CPUs were
// idle and so theirs to take. Where nobody else runs this is the time on the clock; what others ran meanwhile is left
// out.
class CpuShare {
 public:
  // `processes` run on `cpus` only; children of theirs count as others.
  CpuShare(CpuSet cpus, std::vector<pid_t> processes);

  // Per CPU. Idle time is the kernel's, to 10 ms.
  absl::Duration Had() const;

  // Looks again and again until `condition` holds. False: it did not hold when they had had `bound`, or after 30 s of
  // the clock. A late look is never taken for a late event.
  bool Eventually(const std::function<bool()>& condition, absl::Duration bound) const;

 private:
  absl::Duration Ran() const;
  absl::Duration Idle() const;

  const CpuSet cpus_;
  const std::vector<pid_t> processes_;
  const absl::Duration ran_before_;
  const absl::Duration idle_before_;
};

}  // namespace muster

#endif  // MUSTER_WORKER_WORK_TESTING_CPU_SHARE_H_
