// A cgroup tree in a temporary folder, for machines whose version 2 hierarchy has no controllers.
#ifndef MUSTER_DAEMON_CGROUP_FAKE_CGROUP_TREE_H_
#define MUSTER_DAEMON_CGROUP_FAKE_CGROUP_TREE_H_

#include <string>
#include <vector>

#include "base/cgroup_dir.h"
#include "base/cgroup_fs.h"
#include "base/cpu_set.h"

namespace muster {

// Plays the kernel's part: mkdir makes the interface files of the controllers that the parent hands down,
// subtree_control takes
// "+cpu -pids" and refuses what is not there, cpusets grant at most `granted`. Nobody lives in it. The destructor
// removes it.
class FakeCgroupTree : public CgroupFs {
 public:
  FakeCgroupTree(std::vector<std::string> controllers, CpuSet granted);
  ~FakeCgroupTree() override;

  // Absolute path of its root directory.
  const std::string& path() const { return path_; }
  CgroupDir Root() const { return CgroupDir::OpenPath(path_, this).value(); }
  // Content of `file` below the root, without white space at its ends; "<missing>" when there is none.
  std::string Read(const std::string& file) const;
  bool Exists(const std::string& name) const;
  void Overwrite(const std::string& file, const std::string& text) const;

  // From now on writes to interface files of this name give `error`.
  void FailWrites(std::string file, absl::Status error);

  absl::Status MakeDirectory(int dir, const std::string& name) const override;
  absl::Status RemoveDirectory(int dir, const std::string& name) const override;
  absl::Status WriteFile(int dir, const std::string& name, absl::string_view text) const override;

 private:
  absl::Status ChangeSubtreeControl(int dir, absl::string_view text) const;

  const std::vector<std::string> controllers_;
  const CpuSet granted_;
  std::string path_;
  std::string failing_file_;
  absl::Status failure_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_CGROUP_FAKE_CGROUP_TREE_H_
