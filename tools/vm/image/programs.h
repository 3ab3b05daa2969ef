// Where the three programs of an image are.
#ifndef MUSTER_TOOLS_VM_IMAGE_PROGRAMS_H_
#define MUSTER_TOOLS_VM_IMAGE_PROGRAMS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/vm/image/initramfs.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {

// --init, --musterd, --worker, --add, --modules.
std::vector<FlagSpec> ImageFlags();

// Each from its flag, else beside this program, in the build tree around it, or on PATH. NOT_FOUND names what is missing and the flag.
absl::StatusOr<ImageOptions> ImageOptionsFrom(const Flags& flags);

// The first existing file of: `directory`/`installed`, and `tree` below `directory` or a folder around it; empty when there is none.
struct ProgramName {
  // As installed, beside `muster`.
  std::string installed;
  // In the build tree.
  std::string tree;
};
std::string FindAround(const std::string& directory, const ProgramName& name);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_IMAGE_PROGRAMS_H_
