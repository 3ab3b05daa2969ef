// musterd's command line.
#ifndef MUSTER_DAEMON_FLAGS_H_
#define MUSTER_DAEMON_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/config.h"

namespace muster {

// Reads the flags. Prints and exits for --help, --version and flags that do not exist; INVALID_ARGUMENT names a flag
// whose value is wrong.
absl::StatusOr<DaemonConfig> ParseFlags(int argc, char** argv);

// The same arguments as the flags library wants them: a flag's name written with dashes gets underscores, and several
// --listen become one with a list.
std::vector<std::string> NormaliseArguments(const std::vector<std::string>& arguments);

}  // namespace muster

#endif  // MUSTER_DAEMON_FLAGS_H_
