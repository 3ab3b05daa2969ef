#include "worker/work/testing/cpu_share.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/deadline.h"
#include "base/file_io.h"

namespace muster {
namespace {

constexpr absl::Duration kGivenUp = absl::Seconds(30);

// Idle and waiting for a disk; proc(5), /proc/stat.
int64_t IdleTicks(const std::vector<std::string>& fields) {
  int64_t idle = 0;
  int64_t waiting = 0;
  if (fields.size() < 6 || !absl::SimpleAtoi(fields[4], &idle) || !absl::SimpleAtoi(fields[5], &waiting)) return 0;
  return idle + waiting;
}

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
  for (const pid_t process : processes_) {
    clockid_t clock;
    timespec time;
    if (clock_getcpuclockid(process, &clock) == 0 && clock_gettime(clock, &time) == 0) {
      ran += absl::DurationFromTimespec(time);
    }
  }
  return ran;
}

absl::Duration CpuShare::Idle() const {
  const absl::StatusOr<std::string> stat = ReadFile("/proc/stat");
  if (!stat.ok()) return absl::ZeroDuration();
  int64_t ticks = 0;
  for (const absl::string_view line : absl::StrSplit(*stat, '\n')) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint32_t cpu = 0;
    const bool is_cpu = !fields.empty() && fields[0].rfind("cpu", 0) == 0 && absl::SimpleAtoi(fields[0].substr(3), &cpu);
    if (is_cpu && cpus_.Contains(cpu)) ticks += IdleTicks(fields);
  }
  return absl::Seconds(1) * ticks / sysconf(_SC_CLK_TCK);
}

}  // namespace muster
