// Where muster's other programs are.
#ifndef MUSTER_TOOLS_CLI_PROGRAMS_H_
#define MUSTER_TOOLS_CLI_PROGRAMS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster {

struct ProgramQuery {
  // As "musterd".
  std::string name;
  // Folder in the build tree, as "daemon".
  std::string build_folder;
  // Flag that names it, without dashes, and what it said; empty: not given.
  std::string flag;
  std::string flag_value;
};

// Path of an executable: what the flag says, else beside the program in `own_directory`, else in the build tree around
// that, else on `search_path` (colons between folders). NOT_FOUND lists where it was looked for, and names the flag.
absl::StatusOr<std::string> FindProgram(const ProgramQuery& query, absl::string_view own_directory,
                                        absl::string_view search_path);

// Folder of the running program, links resolved.
absl::StatusOr<std::string> OwnDirectory();

}  // namespace muster

#endif  // MUSTER_TOOLS_CLI_PROGRAMS_H_
