// Folders of the cache that are replaced as a whole while others read them.
#ifndef MUSTER_TOOLS_VM_KERNEL_KERNEL_FOLDER_H_
#define MUSTER_TOOLS_VM_KERNEL_KERNEL_FOLDER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {

// `name` is a link to the folder beside it that is current. The caller of these three keeps others out meanwhile, with
// a lock of the cache.

struct HeldFolder {
  // The folder itself, whatever `name` leads to later.
  std::string path;
  // While somebody has it the folder stays as it is. Never null.
  std::shared_ptr<const FileLock> held;
};
// A plain folder in the link's place becomes such a folder.
absl::StatusOr<HeldFolder> HoldFolder(const std::string& name);

// An empty folder, to be filled and handed to ReplaceFolder; one that never is goes with a later ReplaceFolder.
absl::StatusOr<std::string> MakeNextFolder(const std::string& name);

// Makes `next` the current one, and removes those that nobody holds.
absl::Status ReplaceFolder(const std::string& name, const std::string& next);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_KERNEL_KERNEL_FOLDER_H_
