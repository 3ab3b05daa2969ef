// Inside a Linux x86 kernel image.
#ifndef MUSTER_TOOLS_VM_KERNEL_BZIMAGE_H_
#define MUSTER_TOOLS_VM_KERNEL_BZIMAGE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster::vm {

// The compressed kernel in a bzImage; boot protocol 2.08, Documentation/arch/x86/boot.rst. Views point into the image.
struct BzImagePayload {
  // Without the size word that the kernel's build appends.
  absl::string_view compressed;
  // Program that decompresses it, reading standard input: "zstd", "lz4", "xz", "gzip"; empty when it is an ELF file
  // already.
  std::string decompressor;
  // Size of the ELF file, by the image's own word.
  uint32_t unpacked_bytes = 0;
  // As "6.1.0-50-cloud-amd64".
  std::string release;
};

// INVALID_ARGUMENT: not a bzImage, too old, cut short, or compressed in a way that is not known here. Any bytes are
// safe.
absl::StatusOr<BzImagePayload> ParseBzImage(absl::string_view image);

// The ELF file out of the bzImage; runs the decompressor.
absl::StatusOr<std::string> ExtractVmlinux(const BzImagePayload& payload);

// The release that an uncompressed kernel names in its banner; empty when there is none.
std::string ReleaseOfVmlinux(absl::string_view elf);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_KERNEL_BZIMAGE_H_
