#include "worker/arena/huge_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster::arena {
namespace {

constexpr char kHugePageSize[] = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";

absl::StatusOr<uint64_t> HugePageBytes() {
  const absl::StatusOr<std::string> text = ReadFile(kHugePageSize);
  uint64_t bytes = 0;
  if (!text.ok() || !absl::SimpleAtoi(*text, &bytes) || bytes == 0) {
    return absl::UnimplementedError(absl::StrCat("this kernel has no transparent huge pages: no ", kHugePageSize));
  }
  return bytes;
}

// As large as the machine's memory allows, as a memfd is.
absl::Status Configure(int context) {
  for (const auto& [key, value] : {std::pair{"huge", "within_size"}, {"size", "0"}, {"nr_inodes", "0"}}) {
    if (fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) != 0) {
      return ErrnoStatus(errno, absl::StrCat("fsconfig of a tmpfs, ", key, "=", value));
    }
  }
  if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return ErrnoStatus(errno, "making a tmpfs");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HugeFiles> HugeFiles::Mount() {
  ASSIGN_OR_RETURN(const uint64_t bytes, HugePageBytes());
  const UniqueFd context(fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context.valid()) return ErrnoStatus(errno, "fsopen of a tmpfs");
  RETURN_IF_ERROR(Configure(context.get()));
  UniqueFd root(fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  if (!root.valid()) return ErrnoStatus(errno, "fsmount of a tmpfs");
  return HugeFiles(std::move(root), bytes);
}

absl::StatusOr<UniqueFd> HugeFiles::Make() const {
  // The name is what /proc/PID/maps shows.
  static std::atomic<uint64_t> made{0};
  const std::string name = absl::StrCat("muster-arena.", ++made);
  ASSIGN_OR_RETURN(UniqueFd fd, OpenAt(root_.get(), name, O_CREAT | O_EXCL | O_RDWR, 0600));
  if (unlinkat(root_.get(), name.c_str(), 0) != 0) return ErrnoStatus(errno, absl::StrCat("unlink ", name));
  return fd;
}

bool HugeFiles::Made(int fd) {
  struct statfs file_system;
  struct stat status;
  return fstatfs(fd, &file_system) == 0 && file_system.f_type == TMPFS_MAGIC && fstat(fd, &status) == 0 &&
         status.st_nlink == 0 && fcntl(fd, F_GET_SEALS) == F_SEAL_SEAL;
}

}  // namespace muster::arena
