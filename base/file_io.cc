#include "base/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/status_macros.h"

namespace muster {

absl::StatusOr<UniqueFd> OpenAt(int dir, absl::string_view path, int flags, int mode) {
  const std::string name(path);
  UniqueFd fd(openat(dir, name.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("open ", name));
  return fd;
}

absl::StatusOr<std::string> ReadFileAt(int dir, absl::string_view path, size_t max_bytes) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenAt(dir, path, O_RDONLY));
  return ReadToEnd(fd.get(), path, max_bytes);
}

absl::StatusOr<std::string> ReadFile(absl::string_view path) { return ReadFileAt(AT_FDCWD, path); }

absl::StatusOr<std::string> ReadToEnd(int fd, absl::string_view name, size_t max_bytes) {
  std::string content;
  char buffer[4096];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, absl::StrCat("read ", name));
    if (got == 0) return content;
    content.append(buffer, got);
    if (content.size() > max_bytes) {
      return absl::OutOfRangeError(absl::StrCat("read ", name, ": longer than ", max_bytes, " bytes"));
    }
  }
}

absl::Status WriteFileAt(int dir, absl::string_view path, absl::string_view text) {
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenAt(dir, path, O_WRONLY));
  ssize_t done = 0;
  do {
    done = write(fd.get(), text.data(), text.size());
  } while (done < 0 && errno == EINTR);
  if (done < 0) return ErrnoStatus(errno, absl::StrCat("write \"", text, "\" to ", path));
  if (static_cast<size_t>(done) != text.size()) {
    return absl::InternalError(absl::StrCat("write to ", path, ": only ", done, " of ", text.size(), " bytes taken"));
  }
  return absl::OkStatus();
}

absl::Status WriteAll(int fd, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t done = write(fd, data.data(), data.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return ErrnoStatus(errno, absl::StrCat("write to descriptor ", fd));
    data.remove_prefix(done);
  }
  return absl::OkStatus();
}

}  // namespace muster
