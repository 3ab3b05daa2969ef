#include "tools/cli/command.h"

#include <iostream>

namespace muster {

absl::Status Print(absl::string_view text) {
  if (std::cout << text << std::flush) return absl::OkStatus();
  return absl::DataLossError("write to the standard output failed");
}

int Fail(const absl::Status& status, ExitCode code) {
  std::cerr << "muster: " << status.message() << "\n";
  return code;
}

int Fail(const absl::Status& status) { return Fail(status, ExitCodeOf(status)); }

}  // namespace muster
