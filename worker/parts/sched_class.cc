#include "worker/parts/sched_class.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {
namespace {

constexpr uint32_t kSchedExt = 7;
constexpr uint32_t kSchedDeadline = 6;

// struct sched_attr of sched_setattr(2), which glibc does not declare.
struct KernelSchedAttr {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};
static_assert(sizeof(KernelSchedAttr) == 48);

std::string ClassName(const SchedAttributes& attributes) {
  switch (attributes.policy) {
    case SCHED_OTHER:
      return absl::StrCat("SCHED_OTHER nice ", attributes.nice);
    case SCHED_FIFO:
      return absl::StrCat("SCHED_FIFO ", attributes.priority);
    case SCHED_RR:
      return absl::StrCat("SCHED_RR ", attributes.priority);
    case SCHED_BATCH:
      return "SCHED_BATCH";
    case SCHED_IDLE:
      return "SCHED_IDLE";
    case kSchedDeadline:
      return "SCHED_DEADLINE";
    case kSchedExt:
      return "SCHED_EXT";
    default:
      return absl::StrCat("scheduling class ", attributes.policy);
  }
}

}  // namespace

absl::StatusOr<SchedAttributes> GetSchedAttributes() {
  KernelSchedAttr attr = {};
  if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) != 0) return ErrnoStatus(errno, "sched_getattr");
  return SchedAttributes{attr.policy, attr.nice, attr.priority, attr.runtime, attr.deadline, attr.period};
}

absl::Status SetSchedAttributes(const SchedAttributes& attributes) {
  KernelSchedAttr attr = {.size = sizeof(KernelSchedAttr),
                          .policy = attributes.policy,
                          .nice = attributes.nice,
                          .priority = attributes.priority,
                          .runtime = attributes.runtime_ns,
                          .deadline = attributes.deadline_ns,
                          .period = attributes.period_ns};
  if (syscall(SYS_sched_setattr, 0, &attr, 0) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("sched_setattr to ", ClassName(attributes)));
}

SchedAttributes FifoAttributes(uint32_t priority) { return {.policy = SCHED_FIFO, .priority = priority}; }

SchedAttributes AttributesOf(v1::SchedClass sched_class) {
  switch (sched_class) {
    case v1::BATCH:
      return {.policy = SCHED_BATCH};
    case v1::IDLE:
      return {.policy = SCHED_IDLE};
    case v1::RT:
      return FifoAttributes(50);
    case v1::DEADLINE:
      // 1,024 ns is the least that the kernel takes for a runtime of 1 us.
      return {.policy = kSchedDeadline, .runtime_ns = 1'024, .deadline_ns = 1'000'000, .period_ns = 10'000'000};
    case v1::EXT:
      return {.policy = kSchedExt};
    default:
      return {.policy = SCHED_OTHER};
  }
}

void TakeSchedClass(Meter& meter, const SchedAttributes& attributes) {
  const absl::Status status = SetSchedAttributes(attributes);
  if (!status.ok()) meter.SetSetupError(arena::kSetPolicy, status.message());
}

bool MayRunRealTime() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  return (data[0].effective >> CAP_SYS_NICE & 1) != 0;
}

}  // namespace muster
