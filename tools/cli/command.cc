#include "tools/cli/command.h"

#include <iostream>

namespace muster {

int Fail(const absl::Status& status, ExitCode code) {
  std::cerr << "muster: " << status.message() << "\n";
  return code;
}

int Fail(const absl::Status& status) { return Fail(status, ExitCodeOf(status)); }

}  // namespace muster
