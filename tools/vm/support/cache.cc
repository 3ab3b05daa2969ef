#include "tools/vm/support/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster::vm {
namespace {

std::string DefaultCache() {
  const char* xdg = getenv("XDG_CACHE_HOME");
  if (xdg != nullptr && xdg[0] == '/') return absl::StrCat(xdg, "/muster");
  const char* home = getenv("HOME");
  return absl::StrCat(home != nullptr && home[0] == '/' ? home : "/root", "/.cache/muster");
}

// `how` as in flock(2).
absl::StatusOr<UniqueFd> Lock(const std::string& path, int how) {
  ASSIGN_OR_RETURN(UniqueFd fd, OpenAt(AT_FDCWD, path, O_RDWR | O_CREAT, 0600));
  if (flock(fd.get(), how | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) return absl::UnavailableError(absl::StrCat("lock ", path, ": somebody holds it"));
  return ErrnoStatus(errno, absl::StrCat("lock ", path));
}

}  // namespace

absl::StatusOr<std::string> OpenCache(const std::string& flag) {
  std::error_code error;
  const std::string path = std::filesystem::absolute(flag.empty() ? DefaultCache() : flag, error);
  RETURN_IF_ERROR(MakeDirectories(path));
  return path;
}

absl::StatusOr<FileLock> FileLock::TryAcquire(const std::string& path) {
  ASSIGN_OR_RETURN(UniqueFd fd, Lock(path, LOCK_EX));
  return FileLock(std::move(fd));
}

absl::StatusOr<FileLock> FileLock::TryShare(const std::string& path) {
  ASSIGN_OR_RETURN(UniqueFd fd, Lock(path, LOCK_SH));
  return FileLock(std::move(fd));
}

absl::StatusOr<FileLock> FileLock::Acquire(const std::string& path, Deadline deadline) {
  while (true) {
    absl::StatusOr<FileLock> lock = TryAcquire(path);
    if (lock.ok() || !absl::IsUnavailable(lock.status())) return lock;
    if (deadline.Expired()) return absl::DeadlineExceededError(absl::StrCat(lock.status().message(), " for too long"));
    // flock(2) has no timed wait.
    poll(nullptr, 0, 50);
  }
}

absl::Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  return error ? ErrnoStatus(error.value(), absl::StrCat("make directory ", path)) : absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content) {
  const std::string partial = absl::StrCat(path, ".partial.", getpid());
  {
    ASSIGN_OR_RETURN(const UniqueFd fd, OpenAt(AT_FDCWD, partial, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    RETURN_IF_ERROR(WriteAll(fd.get(), content));
  }
  if (rename(partial.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  unlink(partial.c_str());
  return ErrnoStatus(error, absl::StrCat("rename ", partial, " to ", path));
}

}  // namespace muster::vm
