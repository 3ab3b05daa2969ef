#include "tools/vm/kernel/fetched_program.h"

#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/status_macros.h"
#include "tools/vm/kernel/apt_archive.h"
#include "tools/vm/support/cache.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

namespace fs = std::filesystem;

// `folder` may have been left half filled by somebody before.
absl::Status UnpackAnew(const AptArchive& archive, const std::string& package, const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  RETURN_IF_ERROR(MakeDirectories(folder));
  return archive.Unpack({package}, folder);
}

}  // namespace

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
  const std::string unpacking = folder + "/unpacking";
  RETURN_IF_ERROR(UnpackAnew(archive, program.package, unpacking));
  RETURN_IF_ERROR(FindProgram(absl::StrCat(unpacking, "/", program.path)).status());
  RETURN_IF_ERROR(MakeDirectories(fs::path(path).parent_path()));
  std::error_code error;
  // Last: its presence says that it is whole.
  fs::rename(fs::path(unpacking) / program.path, path, error);
  if (error) return absl::InternalError(absl::StrCat("move ", unpacking, "/", program.path, ": ", error.message()));
  fs::remove_all(unpacking, error);
  return path;
}

}  // namespace muster::vm
