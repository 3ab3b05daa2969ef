#include "tools/vm/kernel/fetched_program.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/status_macros.h"
#include "tools/vm/kernel/apt_archive.h"
#include "tools/vm/support/cache.h"
#include "tools/vm/support/program.h"

namespace muster::vm {

absl::StatusOr<std::string> FetchProgram(const PackagedProgram& program, const KernelOptions& options) {
  const std::string folder = absl::StrCat(options.cache, "/", program.folder);
  const std::string path = absl::StrCat(folder, "/", program.path);
  RETURN_IF_ERROR(MakeDirectories(folder));
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Acquire(folder + "/lock", Deadline::After(absl::Minutes(10))));
  if (access(path.c_str(), X_OK) == 0) return path;
  AptOptions apt;
  apt.suite = program.suite;
  apt.directory = absl::StrCat(options.cache, "/apt/", apt.suite);
  apt.mirror = options.mirror;
  ASSIGN_OR_RETURN(const AptArchive archive, AptArchive::Open(apt));
  RETURN_IF_ERROR(archive.Unpack({program.package}, folder));
  return FindProgram(path);
}

}  // namespace muster::vm
