#include "worker/parts/io_target.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "worker/parts/io_file.h"

namespace muster {
namespace {

constexpr uint64_t kStripes = 64;
constexpr uint64_t kSector = 512;
constexpr uint64_t kLeastExtent = 65'536;

absl::Status Fill(int fd, uint64_t bytes) {
  const std::vector<char> zeros(1 << 16);
  for (uint64_t at = 0; at < bytes; at += zeros.size()) {
    const size_t piece = std::min<uint64_t>(zeros.size(), bytes - at);
    if (pwrite(fd, zeros.data(), piece, static_cast<off_t>(at)) != static_cast<ssize_t>(piece)) {
      return ErrnoStatus(errno, "write of a temporary file");
    }
  }
  if (fdatasync(fd) != 0) return ErrnoStatus(errno, "fdatasync of a temporary file");
  return absl::OkStatus();
}

absl::StatusOr<IoTarget> OpenFile(const IoRequest& request) {
  const std::string directory = IoDirectory(request.directory);
  IoTarget target;
  ASSIGN_OR_RETURN(target.fd, OpenTemporaryFile(directory, request.flags & ~O_DIRECT));
  target.capacity = target.extent = request.file_kib * 1024;
  if (ftruncate(target.fd.get(), static_cast<off_t>(target.capacity)) != 0) {
    return ErrnoStatus(errno, absl::StrCat("size of a temporary file in ", directory));
  }
  if (request.filled) RETURN_IF_ERROR(Fill(target.fd.get(), target.capacity));
  if ((request.flags & O_DIRECT) == 0) return target;
  // Added after filling, which is not aligned to anything.
  const int flags = fcntl(target.fd.get(), F_GETFL);
  if (fcntl(target.fd.get(), F_SETFL, flags | O_DIRECT) != 0) {
    target.degraded = absl::StrCat("the file system of ", directory, " has no direct I/O: the page cache serves");
  }
  return target;
}

absl::StatusOr<IoTarget> OpenDevice(const IoRequest& request) {
  // Before it is opened, which for other kinds of devices does things of its own.
  struct stat status;
  if (stat(request.device.c_str(), &status) != 0) return ErrnoStatus(errno, absl::StrCat("look at ", request.device));
  if (!S_ISBLK(status.st_mode))
    return absl::InvalidArgumentError(absl::StrCat(request.device, " is not a block device"));
  IoTarget target;
  const int access = request.read_only ? O_RDONLY : O_RDWR;
  target.fd.Reset(open(request.device.c_str(), access | O_CLOEXEC | request.flags));
  if (!target.fd.valid()) return ErrnoStatus(errno, absl::StrCat("open ", request.device));
  if (ioctl(target.fd.get(), BLKGETSIZE64, &target.capacity) != 0) {
    return ErrnoStatus(errno, absl::StrCat("size of ", request.device));
  }
  const uint64_t stripe = target.capacity / kStripes / kSector * kSector;
  target.extent = std::min(std::max(stripe, kLeastExtent), target.capacity);
  target.base = std::min(request.worker % kStripes * stripe, target.capacity - target.extent);
  return target;
}

}  // namespace

absl::Status ValidateIoDevice(const std::string& device) {
  if (device.empty()) return absl::OkStatus();
  if (device[0] != '/') return absl::InvalidArgumentError(absl::StrCat("device: ", device, " is not an absolute path"));
  if (getenv("MUSTER_ALLOW_BLOCK_DEVICES") == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "device: ", device, " is not allowed; start musterd with --allow-block-devices, or leave the field out"));
  }
  return absl::OkStatus();
}

absl::StatusOr<IoTarget> OpenIoTarget(const IoRequest& request) {
  if (request.device.empty()) return OpenFile(request);
  RETURN_IF_ERROR(ValidateIoDevice(request.device));
  return OpenDevice(request);
}

}  // namespace muster
