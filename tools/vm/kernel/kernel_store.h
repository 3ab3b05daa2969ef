// The kernel that a guest boots: fetched from a Debian suite into the cache, or the user's own.
#ifndef MUSTER_TOOLS_VM_KERNEL_KERNEL_STORE_H_
#define MUSTER_TOOLS_VM_KERNEL_KERNEL_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/vm/support/cache.h"
#include "tools/vm/support/flags.h"

namespace muster::vm {

struct GuestKernel {
  // uname -r; empty when the file does not tell.
  std::string release;
  // Uncompressed ELF file, which boots fastest; the bzImage when it could not be unpacked.
  std::string image;
  // lib/modules/RELEASE; empty: the kernel has all built in.
  std::string modules;
  // A fetched one's files stay where they are while somebody has this; null for the user's own.
  std::shared_ptr<const FileLock> held;
};

struct KernelOptions {
  std::string cache;
  std::string suite = "bookworm";
  std::string package = "linux-image-cloud-amd64";
  std::string mirror;
  // Ask the suite again although the cache has one.
  bool refresh = false;
};

// From the cache, else fetched: unpacked there, never installed. Two callers at once fetch it once. A refresh leaves
// alone what others hold.
absl::StatusOr<GuestKernel> FetchKernel(const KernelOptions& options);

// A bzImage or an ELF vmlinux. Its modules: `modules` when not empty, else a folder "modules" beside it, else
// /lib/modules/RELEASE of this machine, else none. A bzImage is unpacked into the cache, which
// keeps the few that were used last.
struct OwnKernel {
  std::string cache;
  std::string image;
  std::string modules;
};
absl::StatusOr<GuestKernel> OpenKernel(const OwnKernel& own);

// --suite, --package, --mirror, --refresh, --cache.
std::vector<FlagSpec> KernelFlags();
absl::StatusOr<KernelOptions> KernelOptionsFrom(const Flags& flags);

// The kernel that --kernel names, with --modules, where a subcommand has these flags; else the fetched one.
absl::StatusOr<GuestKernel> KernelFrom(const Flags& flags);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_KERNEL_KERNEL_STORE_H_
