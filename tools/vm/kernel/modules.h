// The kernel modules that a guest needs, in the order in which they can be inserted.
#ifndef MUSTER_TOOLS_VM_KERNEL_MODULES_H_
#define MUSTER_TOOLS_VM_KERNEL_MODULES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster::vm {

// "virtio-net.ko.xz" and "virtio_net" are the same module: both give "virtio_net".
std::string ModuleName(absl::string_view file_name);

// What the module's .modinfo says it depends on ("depends=a,b"); empty when nothing or when there is no such line.
std::vector<std::string> ModuleDependencies(absl::string_view ko);

// `wanted` and all that they need, each after what it depends on, otherwise in the order asked for. A name that
// `dependencies` does not know is taken to be built into the kernel. FAILED_PRECONDITION: a circle.
using DependencyMap = std::map<std::string, std::vector<std::string>>;
absl::StatusOr<std::vector<std::string>> OrderModules(const std::vector<std::string>& wanted,
                                                      const DependencyMap& dependencies);

struct KernelModule {
  std::string name;
  // The decompressed file.
  std::string content;
};

// Reads them below `directory` (lib/modules/RELEASE); .ko, .ko.xz, .ko.zst, .ko.gz. Those that are not there are taken
// to be built in. NOT_FOUND: the folder's own modules.dep (else modules.order) has one that the folder has not.
absl::StatusOr<std::vector<KernelModule>> LoadModules(const std::string& directory,
                                                      const std::vector<std::string>& wanted);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_KERNEL_MODULES_H_
