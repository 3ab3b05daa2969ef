// An initramfs archive: cpio in the kernel's "newc" form (Documentation/driver-api/early-userspace/buffer-format.rst).
#ifndef MUSTER_TOOLS_VM_IMAGE_CPIO_H_
#define MUSTER_TOOLS_VM_IMAGE_CPIO_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster::vm {

// Collects entries in the order in which they are added; all belong to root, all times are zero, so that equal input
// gives equal bytes. Paths are relative to the root, without a leading slash; folders on the way to a file are added by
// themselves.
class CpioWriter {
 public:
  // INVALID_ARGUMENT: an empty or absolute path, one with "..", or one that was added before.
  absl::Status AddDirectory(absl::string_view path, uint32_t permissions);
  absl::Status AddFile(absl::string_view path, uint32_t permissions, absl::string_view content);
  // `target` as the guest shall see it, relative to the link or absolute.
  absl::Status AddSymlink(absl::string_view path, absl::string_view target);
  struct Device {
    uint32_t major;
    uint32_t minor;
  };
  absl::Status AddCharDevice(absl::string_view path, uint32_t permissions, Device device);

  // The whole archive with its trailer; the writer is used up.
  std::string Finish() &&;

 private:
  struct Entry {
    absl::string_view path;
    uint32_t mode = 0;
    absl::string_view content;
    Device device = {0, 0};
  };
  absl::Status Add(const Entry& entry);
  void Append(const Entry& entry);

  std::string archive_;
  std::set<std::string> paths_;
  uint32_t next_inode_ = 1;
};

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_IMAGE_CPIO_H_
