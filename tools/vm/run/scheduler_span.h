// Whether one scheduler was active during a whole run.
#ifndef MUSTER_TOOLS_VM_RUN_SCHEDULER_SPAN_H_
#define MUSTER_TOOLS_VM_RUN_SCHEDULER_SPAN_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/vm/run/guest.h"

namespace muster::vm {

// From one look at a guest's scheduler to another. Value type.
class SchedulerSpan {
 public:
  // Looks at the scheduler; it must be active, else the failure has the kernel's reason.
  static std::optional<GuestFailure> Begin(Guest* guest, SchedulerSpan* span);

  // Looks again. A failure when it is not the one of the beginning, with the kernel's reason.
  std::optional<GuestFailure> End(Guest* guest);

  const SchedulerSample& start() const { return start_; }

  // After End: a line for the results, without a newline, and the same as one JSON object.
  std::string Describe() const { return DescribeSpan(start_, end_); }
  std::string Json() const;

 private:
  SchedulerSample start_;
  SchedulerSample end_;
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_SCHEDULER_SPAN_H_
