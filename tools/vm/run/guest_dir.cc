#include "tools/vm/run/guest_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster::vm {
namespace {

namespace fs = std::filesystem;

// sun_path has 108 bytes; ROOT/guest.XXXXXX/v.sock_PORT must fit.
constexpr size_t kMaxTmpdir = 50;

// Made by us, for us alone: another user could otherwise put sockets of his own there.
absl::Status OpenRoot(const std::string& root) {
  if (mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) return ErrnoStatus(errno, absl::StrCat("make ", root));
  struct stat found = {};
  if (lstat(root.c_str(), &found) != 0) return ErrnoStatus(errno, absl::StrCat("look at ", root));
  if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid() || (found.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("use ", root, ": it is not a folder of this user alone (mode 0700)"));
  }
  return absl::OkStatus();
}

std::vector<std::string> Folders(const std::string& root) {
  std::vector<std::string> folders;
  std::error_code error;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().rfind("guest.", 0) == 0) folders.push_back(at->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

bool IsHeld(const std::string& folder) { return absl::IsUnavailable(FileLock::TryAcquire(folder + "/lock").status()); }

// With the root's lock, so that nobody is between making a folder and locking it.
void Sweep(const std::string& root) {
  for (const std::string& folder : Folders(root)) {
    std::error_code error;
    if (!IsHeld(folder)) fs::remove_all(folder, error);
  }
}

absl::StatusOr<FileLock> LockRoot(const std::string& root) {
  RETURN_IF_ERROR(OpenRoot(root));
  return FileLock::Acquire(root + "/lock", Deadline::After(absl::Seconds(30)));
}

}  // namespace

std::string GuestDirRoot() {
  const char* tmpdir = getenv("TMPDIR");
  const std::string base =
      tmpdir != nullptr && tmpdir[0] == '/' && std::string(tmpdir).size() <= kMaxTmpdir ? tmpdir : "/tmp";
  return absl::StrCat(base, "/muster-vm-", geteuid());
}

absl::StatusOr<GuestDir> GuestDir::Create(const std::string& root) {
  ASSIGN_OR_RETURN(const FileLock root_lock, LockRoot(root));
  Sweep(root);
  std::string path = root + "/guest.XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, absl::StrCat("make ", path));
  absl::StatusOr<FileLock> lock = FileLock::TryAcquire(path + "/lock");
  if (!lock.ok()) return lock.status();
  return GuestDir(path, *std::move(lock));
}

GuestDir::~GuestDir() {
  if (path_.empty()) return;
  std::error_code error;
  fs::remove_all(path_, error);
  if (error) LogWarning(absl::StrCat("remove ", path_, ": ", error.message()));
}

absl::StatusOr<std::vector<std::string>> ListGuestDirs(const std::string& root) {
  ASSIGN_OR_RETURN(const FileLock root_lock, LockRoot(root));
  std::vector<std::string> held;
  for (const std::string& folder : Folders(root)) {
    if (IsHeld(folder)) held.push_back(folder);
  }
  return held;
}

}  // namespace muster::vm
