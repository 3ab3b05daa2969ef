// Whether KVM works on this machine.
#ifndef MUSTER_TOOLS_VM_RUN_KVM_PROBE_H_
#define MUSTER_TOOLS_VM_RUN_KVM_PROBE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/vm/run/guest.h"

namespace muster::vm {

struct AcceleratorChoice {
  Accelerator accelerator = Accelerator::kTcg;
  // For the user.
  std::string reason;
};

struct KvmProbe {
  // Where the outcome is remembered.
  std::string cache;
  // The guest that is booted.
  GuestOptions sample;
  // Its kernel, init or command line is the user's own: that it does not boot says nothing about KVM.
  bool sample_is_own = false;
  std::string device = "/dev/kvm";
  // Under KVM init is up within a second or two.
  absl::Duration limit = absl::Seconds(8);
};

// `wanted` is "auto", "kvm" or "tcg". There are machines whose /dev/kvm opens and makes virtual machines that then
// hang; so "auto" boots the sample under KVM once, for at most a few seconds, and remembers for this machine, kernel
// and CPU that it booted, or that it hung. What may have another cause (QEMU refused to start, the guest's kernel
// panicked, the sample is the user's own) means emulation for this run, and the next one tries again.
absl::StatusOr<AcceleratorChoice> ChooseAccelerator(const std::string& wanted, const KvmProbe& probe);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_KVM_PROBE_H_
