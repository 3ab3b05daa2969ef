// Small files (procfs, sysfs, cgroupfs) through directory handles.
#ifndef MUSTER_BASE_FILE_IO_H_
#define MUSTER_BASE_FILE_IO_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"

namespace muster {

// `dir` of the *At functions is a directory descriptor or AT_FDCWD; `path` is relative to it. O_CLOEXEC is always
// added. Errors name the act and the path.
absl::StatusOr<UniqueFd> OpenAt(int dir, absl::string_view path, int flags, int mode = 0);

// Whole content of a small file; at most `max_bytes`, beyond that OUT_OF_RANGE.
absl::StatusOr<std::string> ReadFileAt(int dir, absl::string_view path, size_t max_bytes = 1 << 20);
absl::StatusOr<std::string> ReadFile(absl::string_view path);
// The same from where `fd` stands; `name` is for errors.
absl::StatusOr<std::string> ReadToEnd(int fd, absl::string_view name, size_t max_bytes = 1 << 20);

// One write(2) of all of `text`, as kernel interfaces want it; the file must exist.
absl::Status WriteFileAt(int dir, absl::string_view path, absl::string_view text);

// Writes all of `data`, over as many calls as it takes.
absl::Status WriteAll(int fd, absl::string_view data);

}  // namespace muster

#endif  // MUSTER_BASE_FILE_IO_H_
