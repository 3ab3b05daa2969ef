// One line to the standard error stream.
#ifndef MUSTER_BASE_LOG_H_
#define MUSTER_BASE_LOG_H_

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace muster {

// "muster: <text>\n" in one write(2), so that lines of several processes do not mix. For what a destructor could not do, and
// for events that nobody asked about. Any thread; never after fork in a pool host.
inline void LogWarning(absl::string_view text) {
  const std::string line = absl::StrCat("muster: ", text, "\n");
  [[maybe_unused]] const ssize_t done = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace muster

#endif  // MUSTER_BASE_LOG_H_
