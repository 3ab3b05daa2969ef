#include "tools/vm/kernel/kernel_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/status_macros.h"

namespace muster::vm {
namespace {

namespace fs = std::filesystem;

constexpr char kUnique[] = "XXXXXX";

// What the folders of `name` have in front of six letters. No package's name starts with a dot.
std::string Prefix(const fs::path& name) { return absl::StrCat(".", name.filename().string(), "."); }

std::string LockPath(const std::string& folder) { return folder + "/in-use"; }

// In one step: who opens a file below `name` meanwhile finds it.
absl::Status TurnIntoLink(const std::string& name) {
  ASSIGN_OR_RETURN(const std::string folder, MakeNextFolder(name));
  const std::string target = fs::path(folder).filename();
  if (rmdir(folder.c_str()) != 0 || symlink(target.c_str(), folder.c_str()) != 0 ||
      renameat2(AT_FDCWD, folder.c_str(), AT_FDCWD, name.c_str(), RENAME_EXCHANGE) != 0) {
    const int error = errno;
    unlink(folder.c_str());
    return ErrnoStatus(error, absl::StrCat("turn ", name, " into a link"));
  }
  return absl::OkStatus();
}

void RemoveUnheld(const fs::path& name, const std::string& current) {
  const std::string prefix = Prefix(name);
  std::error_code error;
  for (fs::directory_iterator at(name.parent_path(), error), end; !error && at != end; at.increment(error)) {
    const std::string file = at->path().filename();
    const bool ours = absl::StartsWith(file, prefix) && file.size() == prefix.size() + sizeof(kUnique) - 1;
    if (!ours || at->path() == current || !FileLock::TryAcquire(LockPath(at->path())).ok()) continue;
    std::error_code ignored;
    fs::remove_all(at->path(), ignored);
  }
}

}  // namespace

absl::StatusOr<HeldFolder> HoldFolder(const std::string& name) {
  std::error_code error;
  if (!fs::is_symlink(name, error)) RETURN_IF_ERROR(TurnIntoLink(name));
  const fs::path target = fs::read_symlink(name, error);
  if (error) return ErrnoStatus(error.value(), absl::StrCat("read the link ", name));
  HeldFolder folder;
  folder.path = fs::path(name).parent_path() / target;
  ASSIGN_OR_RETURN(FileLock lock, FileLock::TryShare(LockPath(folder.path)));
  folder.held = std::make_shared<const FileLock>(std::move(lock));
  return folder;
}

absl::StatusOr<std::string> MakeNextFolder(const std::string& name) {
  std::string folder = fs::path(name).parent_path() / (Prefix(name) + kUnique);
  if (mkdtemp(folder.data()) == nullptr) return ErrnoStatus(errno, absl::StrCat("make ", folder));
  if (chmod(folder.c_str(), 0755) != 0) return ErrnoStatus(errno, absl::StrCat("open ", folder, " to all"));
  return folder;
}

absl::Status ReplaceFolder(const std::string& name, const std::string& next) {
  std::error_code error;
  if (fs::is_directory(fs::symlink_status(name, error))) RETURN_IF_ERROR(TurnIntoLink(name));
  const std::string link = fs::path(name).parent_path() / (Prefix(name) + "link");
  unlink(link.c_str());
  if (symlink(fs::path(next).filename().c_str(), link.c_str()) != 0 || rename(link.c_str(), name.c_str()) != 0)
    return ErrnoStatus(errno, absl::StrCat("make ", next, " the current ", name));
  RemoveUnheld(name, next);
  return absl::OkStatus();
}

}  // namespace muster::vm
