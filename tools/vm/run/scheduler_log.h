// What a guest's init says about the scheduler that it has loaded (tools/vm/init/scheduler.h).
#ifndef MUSTER_TOOLS_VM_RUN_SCHEDULER_LOG_H_
#define MUSTER_TOOLS_VM_RUN_SCHEDULER_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace muster::vm {

// One look into /sys/kernel/sched_ext.
struct SchedulerSample {
  // "enabled", "disabled", or on the way from one to the other.
  std::string state;
  // The name in the loaded sched_ext_ops; empty: none is loaded.
  std::string ops;
  // How many schedulers the kernel has enabled since its boot: as long as it stays the same, so does the scheduler.
  uint64_t enable_seq = 0;
  // Tasks that the scheduler has refused.
  uint64_t nr_rejected = 0;
  // Every ordinary task is under it; else only those of the class SCHED_EXT.
  bool switch_all = false;

  bool enabled() const { return state == "enabled"; }
  bool settled() const { return state == "enabled" || state == "disabled"; }
};

struct SchedulerLog {
  // Looks so far, and the last one.
  size_t samples = 0;
  SchedulerSample last;
  // What the loader and the kernel have said, in order.
  std::vector<std::string> loader;
  std::vector<std::string> kernel;
  // Why init gave up.
  std::optional<std::string> failed;
};

// Takes a line of the console into account. Any bytes are safe.
void ObserveScheduler(absl::string_view line, SchedulerLog* log);

// `what`, and what the kernel has said, for the user; after a failure to load also what the loader has said.
std::string WithReasons(const std::string& what, const SchedulerLog& log);

// nullopt: one and the same scheduler was active from the one look to the other. The kernel counts every scheduler that
// it enables, so two looks that agree leave no room for an end and another beginning between them. Else: what happened.
std::optional<std::string> FindEjection(const SchedulerSample& start, const SchedulerSample& end);

// Tasks that the scheduler has refused between two looks.
uint64_t RejectedBetween(const SchedulerSample& start, const SchedulerSample& end);

// For the results, without a newline.
std::string DescribeSpan(const SchedulerSample& start, const SchedulerSample& end);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_SCHEDULER_LOG_H_
