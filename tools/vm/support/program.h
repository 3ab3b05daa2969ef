// Running other programs (apt-get, dpkg, zstd) within a time limit.
#ifndef MUSTER_TOOLS_VM_SUPPORT_PROGRAM_H_
#define MUSTER_TOOLS_VM_SUPPORT_PROGRAM_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace muster::vm {

// Path of an executable file: `name` itself when it holds a slash, else the first on PATH. NOT_FOUND says what was
// looked for.
absl::StatusOr<std::string> FindProgram(absl::string_view name);

struct ProgramCall {
  // argv; the first is looked up with FindProgram.
  std::vector<std::string> arguments;
  // Fed to its standard input, which is then closed.
  absl::string_view input;
  // It is killed after that.
  absl::Duration timeout;
};

// What the program wrote to its standard output. A program that ends otherwise than with exit code 0 is an INTERNAL
// error with the end of what it wrote to its standard error stream; one that is too slow is DEADLINE_EXCEEDED. It has
// been reaped when this returns.
absl::StatusOr<std::string> RunProgram(const ProgramCall& call);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_SUPPORT_PROGRAM_H_
