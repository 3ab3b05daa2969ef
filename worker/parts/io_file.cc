#include "worker/parts/io_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {

std::string IoDirectory(absl::string_view asked) {
  if (!asked.empty()) return std::string(asked.data(), asked.size());
  const char* of_daemon = getenv("MUSTER_IO_DIR");
  return of_daemon != nullptr && *of_daemon != '\0' ? of_daemon : "/tmp";
}

absl::StatusOr<UniqueFd> OpenTemporaryFile(const std::string& directory, int flags) {
  UniqueFd unnamed(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600));
  if (unnamed.valid()) return unnamed;
  // Some file systems (overlayfs before Linux 6.3, NFS) have no unnamed files.
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    return ErrnoStatus(errno, absl::StrCat("open a temporary file in ", directory));
  }
  std::string path = absl::StrCat(directory, "/muster-io-XXXXXX");
  UniqueFd named(mkostemp(path.data(), O_CLOEXEC | flags));
  if (!named.valid()) return ErrnoStatus(errno, absl::StrCat("make a temporary file in ", directory));
  if (unlink(path.c_str()) != 0) return ErrnoStatus(errno, absl::StrCat("unlink ", path));
  return named;
}

}  // namespace muster
