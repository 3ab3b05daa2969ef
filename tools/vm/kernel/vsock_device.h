// vhost-device-vsock: vsock between host and guest where the host's kernel has none.
#ifndef MUSTER_TOOLS_VM_KERNEL_VSOCK_DEVICE_H_
#define MUSTER_TOOLS_VM_KERNEL_VSOCK_DEVICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/vm/kernel/kernel_store.h"

namespace muster::vm {

// Path of the program: on PATH, in the cache, else unpacked there from Debian's sid (or the suite asked for); never
// installed.
absl::StatusOr<std::string> FetchVsockDevice(const KernelOptions& options);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_KERNEL_VSOCK_DEVICE_H_
