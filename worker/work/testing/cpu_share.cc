#include "worker/work/testing/cpu_share.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/cpu_times.h"
#include "base/deadline.h"
#include "base/file_io.h"

namespace muster {
namespace {

constexpr absl::Duration kGivenUp = absl::Seconds(30);

}  // namespace

CpuShare::CpuShare(CpuSet cpus, std::vector<pid_t> processes)
    : cpus_(std::move(cpus)), processes_(std::move(processes)), ran_before_(Ran()), idle_before_(Idle()) {}

absl::Duration CpuShare::Had() const {
  return (Ran() - ran_before_ + Idle() - idle_before_) / std::max<int64_t>(1, cpus_.Count());
}

bool CpuShare::Eventually(const std::function<bool()>& condition, absl::Duration bound) const {
  const Deadline given_up = Deadline::After(kGivenUp);
  while (true) {
    // Read before the look, so that the condition has had all of it.
    const bool over = Had() > bound || given_up.Expired();
    if (condition()) return true;
    if (over) return false;
    poll(nullptr, 0, 1);
  }
}

absl::Duration CpuShare::Ran() const {
  absl::Duration ran;
  for (const pid_t process : processes_) ran += absl::Nanoseconds(ProcessCpuNs(process).value_or(0));
  return ran;
}

absl::Duration CpuShare::Idle() const {
  const absl::StatusOr<std::string> stat = ReadFile("/proc/stat");
  const absl::StatusOr<CpuTimes> times =
      stat.ok() ? SumCpuTimes(*stat, cpus_) : absl::StatusOr<CpuTimes>(stat.status());
  if (!times.ok()) return absl::ZeroDuration();
  return absl::Seconds(1) * static_cast<int64_t>(times->total - times->busy) / sysconf(_SC_CLK_TCK);
}

}  // namespace muster
