// Specs as people write them.
#ifndef MUSTER_TOOLS_CLI_SPEC_FILE_H_
#define MUSTER_TOOLS_CLI_SPEC_FILE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "muster/v1/workload.pb.h"
#include "tools/cli/exit_code.h"

namespace muster {

// Reads a text proto; "-" is the standard input, which is then used up, as a pipe of another name is. INVALID_ARGUMENT
// lists every mistake, a line each, as "spec.txtpb:3:7: expected integer, got: x". NOT_FOUND: there is no such file.
absl::StatusOr<v1::WorkloadSpec> ReadSpecFile(absl::string_view path);

// The same for a text; `name` stands for the file in errors.
absl::StatusOr<v1::WorkloadSpec> ParseSpec(absl::string_view text, absl::string_view name);

// What a command ends with that could not read its spec.
ExitCode SpecExitCode(const absl::Status& status);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_SPEC_FILE_H_
