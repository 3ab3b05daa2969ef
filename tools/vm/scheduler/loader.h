// bpftool, which hands a scheduler to the kernel of a guest.
#ifndef MUSTER_TOOLS_VM_SCHEDULER_LOADER_H_
#define MUSTER_TOOLS_VM_SCHEDULER_LOADER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/vm/kernel/kernel_store.h"

namespace muster::vm {

// Path of a bpftool whose libbpf knows sched_ext (1.4): on PATH, in the cache, else unpacked there from
// bookworm-backports; never installed. Debian 12's own is too old.
absl::StatusOr<std::string> FetchBpftool(const KernelOptions& options);

// A shared library of a program.
struct Library {
  // As the program asks for it.
  std::string name;
  std::string path;
};

// All shared libraries that `program` needs of this machine, its dynamic loader as "ld.so". NOT_FOUND: one is missing.
absl::StatusOr<std::vector<Library>> LibrariesOf(const std::string& program);

// Of what ldd(1) printed. Exposed for its test.
absl::StatusOr<std::vector<Library>> ParseLdd(absl::string_view output);

// True when what `bpftool version` printed names a libbpf of 1.4 or later. Exposed for its test.
bool KnowsSchedExt(absl::string_view version);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_SCHEDULER_LOADER_H_
