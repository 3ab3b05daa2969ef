// The three calls that change a cgroup tree.
#ifndef MUSTER_BASE_CGROUP_FS_H_
#define MUSTER_BASE_CGROUP_FS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace muster {

// Everything that CgroupDir changes goes through here, so that a tree in a temporary folder can play the kernel's part
// (mkdir there makes no interface files). `dir` is a directory descriptor, `name` a single component. Thread-safe.
class CgroupFs {
 public:
  virtual ~CgroupFs() = default;

  // The one of cgroup version 2. Lives for ever.
  static const CgroupFs* Kernel();

  // ALREADY_EXISTS when it is there.
  virtual absl::Status MakeDirectory(int dir, const std::string& name) const;
  // FAILED_PRECONDITION: it has children or live processes (EBUSY).
  virtual absl::Status RemoveDirectory(int dir, const std::string& name) const;
  // One write(2) of the whole text to an interface file.
  virtual absl::Status WriteFile(int dir, const std::string& name, absl::string_view text) const;
};

}  // namespace muster

#endif  // MUSTER_BASE_CGROUP_FS_H_
