// What an image needs for a scheduler.
#ifndef MUSTER_TOOLS_VM_SCHEDULER_SCHEDULER_FILES_H_
#define MUSTER_TOOLS_VM_SCHEDULER_SCHEDULER_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/vm/image/initramfs.h"
#include "tools/vm/kernel/kernel_store.h"

namespace muster::vm {

// Whether the file can be a scheduler at all. Errors name it and say what is wrong.
absl::Status CheckScheduler(const std::string& object);

// The object, its loader and that one's libraries, where tools/vm/init/scheduler.cc looks for them. Errors
// name the object or the loader.
absl::StatusOr<std::vector<ExtraFile>> SchedulerFiles(const std::string& object, const KernelOptions& options);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_SCHEDULER_SCHEDULER_FILES_H_
