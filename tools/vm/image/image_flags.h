// What goes into an image, by flags.
#ifndef MUSTER_TOOLS_VM_IMAGE_IMAGE_FLAGS_H_
#define MUSTER_TOOLS_VM_IMAGE_IMAGE_FLAGS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "tools/vm/image/initramfs.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {

// --init, --musterd, --muster-worker, --add, --modules, --scheduler.
std::vector<FlagSpec> ImageFlags();

// --init=musterd: there is no other init.
bool MusterdIsInit(const Flags& flags);

// Each program from its flag, else beside this program, in the build tree around it, or on PATH.
absl::StatusOr<ImageOptions> ImageOptionsFrom(const Flags& flags);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_IMAGE_IMAGE_FLAGS_H_
