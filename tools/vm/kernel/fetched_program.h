// Programs that are unpacked from Debian's packages into the cache, and never installed.
#ifndef MUSTER_TOOLS_VM_KERNEL_FETCHED_PROGRAM_H_
#define MUSTER_TOOLS_VM_KERNEL_FETCHED_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/vm/kernel/kernel_store.h"

namespace muster::vm {

struct PackagedProgram {
  std::string package;
  // Where the package has it, as "usr/bin/PROGRAM".
  std::string path;
  std::string suite;
  // Of the cache, for this package only.
  std::string folder;
};

// Path of the program in the cache, where it is put when it is not there; it alone of its package, and only when all of
// it has been unpacked. `options` says where the cache and the mirror are. Of several callers at once one fetches, the
// others wait.
absl::StatusOr<std::string> FetchProgram(const PackagedProgram& program, const KernelOptions& options);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_KERNEL_FETCHED_PROGRAM_H_
