// Programs without what only a debugger reads.
#ifndef MUSTER_TOOLS_VM_IMAGE_ELF_STRIP_H_
#define MUSTER_TOOLS_VM_IMAGE_ELF_STRIP_H_

#include <string>

#include "absl/strings/string_view.h"

namespace muster::vm {

// The 64-bit ELF program cut after the last byte that its program headers speak of, and without a section table: it
// runs as before. What is no such program comes back unchanged. Any bytes are safe.
std::string StripElf(absl::string_view program);

// True for an ELF program that asks for a dynamic loader, which an initramfs does not have.
bool NeedsLoader(absl::string_view program);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_IMAGE_ELF_STRIP_H_
