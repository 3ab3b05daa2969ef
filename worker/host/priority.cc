#include "worker/host/priority.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster::host {
namespace {

// sched_setattr(2); glibc 2.36 has no wrapper, and linux/sched/types.h cannot stand beside its sched.h.
struct SchedAttr {
  uint32_t size = sizeof(SchedAttr);
  uint32_t policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
};
constexpr uint64_t kResetOnFork = 1;
constexpr int kHelperNice = -20;

absl::Status Apply(SchedAttr attributes, absl::string_view what) {
  attributes.flags |= kResetOnFork;
  if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) return ErrnoStatus(errno, what);
  return absl::OkStatus();
}

}  // namespace

absl::Status ResetChildren() {
  SchedAttr attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0)
    return ErrnoStatus(errno, "sched_getattr");
  return Apply(attributes, "sched_setattr of SCHED_RESET_ON_FORK");
}

absl::Status RunAsControl(uint32_t priority) {
  SchedAttr attributes;
  attributes.policy = SCHED_FIFO;
  attributes.priority = priority;
  return Apply(attributes, absl::StrCat("sched_setattr of SCHED_FIFO ", priority));
}

absl::Status RunAsHelper() {
  SchedAttr attributes;
  attributes.nice = kHelperNice;
  return Apply(attributes, "sched_setattr of nice -20");
}

}  // namespace muster::host
