// What a subcommand is.
#ifndef MUSTER_TOOLS_CLI_COMMAND_H_
#define MUSTER_TOOLS_CLI_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/flags.h"

namespace muster {

struct Command {
  // As "run", or "cgroup create".
  std::string name;
  // Positional arguments as the help shows them, one word each; as many are required.
  std::vector<std::string> arguments;
  std::string summary;
  std::vector<FlagSpec> flags;
  // Gets as many positional arguments as are required. Returns the exit code.
  int (*run)(const Flags& flags) = nullptr;
};

// Prints to the standard output. DATA_LOSS when it takes no more: it is closed, or its disk is full.
absl::Status Print(absl::string_view text);

// Prints the error, and returns `code`, or the one that goes with the status.
int Fail(const absl::Status& status, ExitCode code);
int Fail(const absl::Status& status);

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_COMMAND_H_
