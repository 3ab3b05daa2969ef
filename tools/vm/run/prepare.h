// From flags to a guest that can be launched.
#ifndef MUSTER_TOOLS_VM_RUN_PREPARE_H_
#define MUSTER_TOOLS_VM_RUN_PREPARE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/vm/run/guest.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {

// Kernel, image, shape, accelerator, transport.
std::vector<FlagSpec> GuestFlags();

// Fetches, unpacks and probes what is needed; tells what it took through `say`, one line at a time.
absl::StatusOr<GuestOptions> PrepareGuest(const Flags& flags, const std::function<void(const std::string&)>& say);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_PREPARE_H_
