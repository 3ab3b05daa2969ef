#include "tools/cli/programs.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/errno_status.h"

namespace muster {
namespace {

bool IsExecutable(const std::string& path) {
  struct stat file;
  return stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

absl::StatusOr<std::string> FindProgram(const ProgramQuery& query, absl::string_view own_directory,
                                        absl::string_view search_path) {
  if (!query.flag_value.empty()) {
    if (IsExecutable(query.flag_value)) return query.flag_value;
    return absl::NotFoundError(absl::StrCat("--", query.flag, " ", query.flag_value, ": no executable file is there"));
  }
  std::vector<std::string> candidates = {
      absl::StrCat(own_directory, "/", query.name),
      absl::StrCat(own_directory, "/../", query.build_folder, "/", query.name),
  };
  for (absl::string_view folder : absl::StrSplit(search_path, ':', absl::SkipEmpty())) {
    candidates.push_back(absl::StrCat(folder, "/", query.name));
  }
  for (const std::string& candidate : candidates) {
    if (IsExecutable(candidate)) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("found no ", query.name, "; looked for ", absl::StrJoin(candidates, ", "),
                                          "; name it with --", query.flag));
}

absl::StatusOr<std::string> OwnDirectory() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size < 0) return ErrnoStatus(errno, "read the link /proc/self/exe");
  const absl::string_view whole(path, size);
  return std::string(whole.substr(0, whole.rfind('/')));
}

}  // namespace muster
