// A compiled scheduler, seen from outside.
#ifndef MUSTER_TOOLS_VM_SCHEDULER_BPF_OBJECT_H_
#define MUSTER_TOOLS_VM_SCHEDULER_BPF_OBJECT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace muster::vm {

// Whether a BPF loader would find a scheduler in this file's content: it is a 64-bit ELF object for BPF with a section
// ".struct_ops" or ".struct_ops.link". FAILED_PRECONDITION says what it is instead. Whether the kernel takes it shows
// in the guest only. Any bytes are safe.
absl::Status CheckSchedulerObject(absl::string_view content);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_SCHEDULER_BPF_OBJECT_H_
