// Where fetched and unpacked things stay between runs.
#ifndef MUSTER_TOOLS_VM_SUPPORT_CACHE_H_
#define MUSTER_TOOLS_VM_SUPPORT_CACHE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "base/unique_fd.h"

namespace muster::vm {

// `flag` when not empty, else $XDG_CACHE_HOME/muster, else $HOME/.cache/muster. Made when it is not there.
absl::StatusOr<std::string> OpenCache(const std::string& flag);

// Holds a lock on `path` (made when it is not there) while it lives: two programs that fill the cache take
// turns.
class FileLock {
 public:
  static absl::StatusOr<FileLock> Acquire(const std::string& path, Deadline deadline);
  // UNAVAILABLE when somebody holds it.
  static absl::StatusOr<FileLock> TryAcquire(const std::string& path);
  // Together with others who share it.
  static absl::StatusOr<FileLock> TryShare(const std::string& path);

  // Whoever inherits it holds the lock too. Stays owned by this object.
  int fd() const { return fd_.get(); }

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// mkdir -p.
absl::Status MakeDirectories(const std::string& path);

// Writes beside `path` and renames, so that a reader sees all of it or nothing.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_SUPPORT_CACHE_H_
