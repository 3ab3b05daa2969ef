#include "worker/parts/sched_class.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {
namespace {

std::string ClassName(const SchedAttr& attributes) {
  switch (attributes.sched_policy) {
    case SCHED_OTHER:
      return absl::StrCat("SCHED_OTHER nice ", attributes.sched_nice);
    case SCHED_FIFO:
      return absl::StrCat("SCHED_FIFO ", attributes.sched_priority);
    case SCHED_RR:
      return absl::StrCat("SCHED_RR ", attributes.sched_priority);
    case SCHED_BATCH:
      return "SCHED_BATCH";
    case SCHED_IDLE:
      return "SCHED_IDLE";
    case kSchedDeadline:
      return "SCHED_DEADLINE";
    case kSchedExt:
      return "SCHED_EXT";
    default:
      return absl::StrCat("scheduling class ", attributes.sched_policy);
  }
}

}  // namespace

absl::StatusOr<SchedAttr> GetSchedAttributes() {
  SchedAttr attr;
  if (!GetSchedAttr(&attr)) return ErrnoStatus(errno, "sched_getattr");
  return attr;
}

absl::Status SetSchedAttributes(const SchedAttr& attributes) {
  if (SetSchedAttr(attributes)) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("sched_setattr to ", ClassName(attributes)));
}

SchedAttr OrdinaryAttributes(uint32_t policy) {
  return {.sched_policy = policy, .sched_nice = getpriority(PRIO_PROCESS, 0)};
}

SchedAttr RealTimeAttributes(uint32_t policy, uint32_t priority) {
  return {.sched_policy = policy, .sched_priority = priority};
}

SchedAttr FifoAttributes(uint32_t priority) { return RealTimeAttributes(SCHED_FIFO, priority); }

SchedAttr AttributesOf(v1::SchedClass sched_class) {
  switch (sched_class) {
    case v1::BATCH:
      return OrdinaryAttributes(SCHED_BATCH);
    case v1::IDLE:
      return OrdinaryAttributes(SCHED_IDLE);
    case v1::RT:
      return FifoAttributes(50);
    case v1::DEADLINE:
      // 1,024 ns is the least that the kernel takes for a runtime of 1 us.
      return {.sched_policy = kSchedDeadline,
              .sched_runtime = 1'024,
              .sched_deadline = 1'000'000,
              .sched_period = 10'000'000};
    case v1::EXT:
      return OrdinaryAttributes(kSchedExt);
    default:
      return OrdinaryAttributes(SCHED_OTHER);
  }
}

void TakeSchedClass(Meter& meter, const SchedAttr& attributes, uint32_t max_rt_priority) {
  const uint32_t priority = attributes.sched_priority;  // 0 for classes without
  if (priority > max_rt_priority && max_rt_priority == 0) {
    const std::string text =
        absl::StrCat("priority ", priority, " is above the limit for workers, 0; running as it was");
    return meter.SetSetupError(arena::kSetPolicy, text);
  }
  SchedAttr granted = attributes;
  granted.sched_priority = std::min(priority, max_rt_priority);
  const absl::Status status = SetSchedAttributes(granted);
  if (!status.ok()) return meter.SetSetupError(arena::kSetPolicy, status.message());
  if (priority <= max_rt_priority) return;
  meter.SetSetupError(arena::kSetPolicy, absl::StrCat("priority ", priority,
                                                      " is above the limit for workers; running at ", max_rt_priority));
}

bool MayRunRealTime() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  return (data[0].effective >> CAP_SYS_NICE & 1) != 0;
}

}  // namespace muster
