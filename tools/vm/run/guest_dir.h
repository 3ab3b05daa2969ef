// The private folder of a running guest: image, sockets, console.
#ifndef MUSTER_TOOLS_VM_RUN_GUEST_DIR_H_
#define MUSTER_TOOLS_VM_RUN_GUEST_DIR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {

// /tmp/muster-vm-UID, or below $TMPDIR when that is short enough for a socket's path.
std::string GuestDirRoot();

// Owns a folder below a root that only this user can enter, and a lock in it; the destructor removes the folder, unless
// it was released. Whoever else holds the lock's descriptor (a guest that is kept) keeps the folder from being swept.
// Move-only.
class GuestDir {
 public:
  // Sweeps first: folders that nobody holds belonged to programs that were killed.
  static absl::StatusOr<GuestDir> Create(const std::string& root);

  GuestDir(GuestDir&& other) noexcept : path_(std::move(other.path_)), lock_(std::move(other.lock_)) {
    other.path_.clear();
  }
  GuestDir& operator=(GuestDir&&) = delete;
  ~GuestDir();

  const std::string& path() const { return path_; }
  int lock_fd() const { return lock_.fd(); }
  // The folder stays; its lock lives as long as the child that inherited it.
  void Release() && { path_.clear(); }

 private:
  GuestDir(std::string path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  // Empty: owns none.
  std::string path_;
  FileLock lock_;
};

// Folders that somebody holds, in the order of their names.
absl::StatusOr<std::vector<std::string>> ListGuestDirs(const std::string& root);

}  // namespace muster::vm

#endif  // MUSTER_TOOLS_VM_RUN_GUEST_DIR_H_
