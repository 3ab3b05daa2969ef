// One line to the standard error stream.
#ifndef MUSTER_BASE_LOG_H_
#define MUSTER_BASE_LOG_H_

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace muster {

// "muster: <text>\n" in one write(2), so that lines of several processes do not mix. For what somebody who runs the
// program wants to be able to look up. Any thread; never after fork in a pool host.
inline void LogInfo(absl::string_view text) {
  const std::string line = absl::StrCat("muster: ", text, "\n");
  [[maybe_unused]] const ssize_t done = write(STDERR_FILENO, line.data(), line.size());
}

// The same for what a destructor could not do, and for bad events that nobody asked about.
inline void LogWarning(absl::string_view text) { LogInfo(absl::StrCat("warning: ", text)); }

}  // namespace muster

#endif  // MUSTER_BASE_LOG_H_
