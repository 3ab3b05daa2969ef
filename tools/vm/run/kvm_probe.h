// Whether KVM works on this machine.
#ifndef MUSTER_TOOLS_VM_RUN_KVM_PROBE_H_
#define MUSTER_TOOLS_VM_RUN_KVM_PROBE_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/vm/run/guest.h"

namespace muster::vm {

struct AcceleratorChoice {
  Accelerator accelerator = Accelerator::kTcg;
  // For the user.
  std::string reason;
};

// `wanted` is "auto", "kvm" or "tcg". There are machines whose /dev/kvm opens and makes virtual machines that then
// hang; so "auto" boots `sample` under KVM once, for at most a few seconds, and remembers the outcome for this machine,
// kernel and CPU in `cache`.
absl::StatusOr<AcceleratorChoice> ChooseAccelerator(const std::string& wanted, const std::string& cache,
                                                    GuestOptions sample);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_KVM_PROBE_H_
