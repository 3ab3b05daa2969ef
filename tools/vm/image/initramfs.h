// The guest's whole root: kernel modules, our programs, our init.
#ifndef MUSTER_TOOLS_VM_IMAGE_INITRAMFS_H_
#define MUSTER_TOOLS_VM_IMAGE_INITRAMFS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {

struct ExtraFile {
  // In the guest, relative to its root.
  std::string guest_path;
  std::string host_path;
};

struct ImageOptions {
  // lib/modules/RELEASE of the guest's kernel; empty: everything is built in.
  std::string modules;
  // Paths of static programs. No init: musterd is.
  std::string init;
  std::string musterd;
  std::string worker;
  // More programs.
  std::vector<ExtraFile> extra;
  // A scheduler with its loader (tools/vm/scheduler); taken as they are, executable in the guest.
  std::vector<ExtraFile> scheduler;
};

// The modules of virtio, vsock and the network card of the emulator.
const std::vector<std::string>& GuestModules();

// An uncompressed cpio archive. FAILED_PRECONDITION: a program needs a dynamic loader.
absl::StatusOr<std::string> BuildInitramfs(const ImageOptions& options);

// What gzip makes of it.
absl::StatusOr<std::string> Compress(const std::string& archive);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_IMAGE_INITRAMFS_H_
