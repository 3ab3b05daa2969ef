// One directory of cgroup version 2, by descriptor.
#ifndef MUSTER_BASE_CGROUP_DIR_H_
#define MUSTER_BASE_CGROUP_DIR_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/cgroup_fs.h"
#include "base/deadline.h"
#include "base/unique_fd.h"

namespace muster {

// Owns a directory descriptor; the destructor closes it and leaves the cgroup alone. Names are single components and
// looked up relative to the descriptor, without following symbolic links. Move-only; const methods may be called by
// several threads. Errors name the cgroup; NOT_FOUND also means that it has been removed.
class CgroupDir {
 public:
  // An existing directory by absolute path: the mount, or what the caller was told to use.
  static absl::StatusOr<CgroupDir> OpenPath(absl::string_view path, const CgroupFs* fs = CgroupFs::Kernel());
  // Adopts an inherited descriptor; `label` stands for its path in messages.
  static CgroupDir Adopt(UniqueFd fd, absl::string_view label, const CgroupFs* fs = CgroupFs::Kernel());

  absl::StatusOr<CgroupDir> Open(absl::string_view name) const;
  // `path` is relative, of one or more components.
  absl::StatusOr<CgroupDir> OpenBelow(absl::string_view path) const;
  // Makes it, or opens what is there.
  absl::StatusOr<CgroupDir> Create(absl::string_view name) const;
  // ALREADY_EXISTS when it is there.
  absl::StatusOr<CgroupDir> CreateNew(absl::string_view name) const;
  // rmdir of an empty child. FAILED_PRECONDITION: not empty.
  absl::Status RemoveEmpty(absl::string_view name) const;
  // Another descriptor of the same open file (locks are shared).
  absl::StatusOr<CgroupDir> Duplicate() const;
  absl::StatusOr<std::vector<std::string>> Children() const;
  bool HasFile(absl::string_view file) const;
  // Both are descriptors of one directory that has not been removed and made anew.
  bool IsSameDirectory(const CgroupDir& other) const;

  absl::StatusOr<std::string> ReadFile(absl::string_view file) const;
  absl::Status WriteFile(absl::string_view file, absl::string_view text) const;

  // Processes, without those that only wait to be reaped. UNIMPLEMENTED in a threaded cgroup, which has threads only.
  absl::StatusOr<std::vector<pid_t>> ReadProcs() const;
  absl::StatusOr<std::vector<pid_t>> ReadThreads() const;
  // Live processes here or below.
  absl::StatusOr<bool> Populated() const;
  // Waits until all are frozen.
  absl::Status Freeze(Deadline deadline) const;
  absl::Status Thaw() const;
  // SIGKILL to every process here and below, against concurrent forks too. In a threaded cgroup: to every process that
  // has a thread there, once.
  absl::Status Kill() const;
  // DEADLINE_EXCEEDED: something lives on.
  absl::Status WaitUnpopulated(Deadline deadline) const;

  // Controllers that this one may hand down, and those that it does.
  absl::StatusOr<std::vector<std::string>> Controllers() const;
  absl::StatusOr<std::vector<std::string>> EnabledControllers() const;
  // Hands `names` down to the children; those handed down already are left alone.
  absl::Status EnableControllers(const std::vector<std::string>& names) const;
  // Takes them back from the children.
  absl::Status DisableControllers(const std::vector<std::string>& names) const;
  // "domain", "domain threaded", "threaded", "domain invalid"; "root" for the root, which has no type.
  absl::StatusOr<std::string> Type() const;
  absl::Status MakeThreaded() const;
  // The caller's whole process.
  absl::Status MoveSelfHere() const;

  int fd() const { return fd_.get(); }
  const std::string& label() const { return label_; }

 private:
  CgroupDir(UniqueFd fd, std::string label, const CgroupFs* fs)
      : fd_(std::move(fd)), label_(std::move(label)), fs_(fs) {}

  absl::Status Annotate(const absl::Status& status) const;
  absl::StatusOr<bool> ReadEvent(absl::string_view key) const;
  absl::Status WaitEvent(absl::string_view key, bool value, Deadline deadline) const;
  absl::StatusOr<std::vector<pid_t>> ReadIds(absl::string_view file) const;

  UniqueFd fd_;
  std::string label_;
  const CgroupFs* fs_;
};

// Removes `parent`/`name` with all below it: thaws, kills, waits until nothing lives, then rmdir from the leaves up.
// Returns how many processes were there to kill. A cgroup that is gone already counts as removed.
absl::StatusOr<int> RemoveCgroupTree(const CgroupDir& parent, absl::string_view name, Deadline deadline);

}  // namespace muster

#endif  // MUSTER_BASE_CGROUP_DIR_H_
