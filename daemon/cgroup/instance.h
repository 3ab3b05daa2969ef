// The daemon's place in the cgroup tree.
#ifndef MUSTER_DAEMON_CGROUP_INSTANCE_H_
#define MUSTER_DAEMON_CGROUP_INSTANCE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cgroup_dir.h"
#include "base/deadline.h"
#include "daemon/cgroup/cgroup_manager.h"
#include "daemon/cgroup/controllers.h"
#include "daemon/cgroup/supervisor_leaf.h"

namespace muster {

// What the kernel shows to a process.
struct CgroupView {
  std::string mountinfo;
  std::string own_cgroup;
  std::string proc_cgroups;

  static absl::StatusOr<CgroupView> OfThisProcess();
};

struct InstanceOptions {
  // Empty: "d" and the process id, with a random part.
  std::string name;
  // Absolute path of a cgroup that is handed to this daemon. Empty: its own one when that is delegated, else the mount.
  std::string cgroup_root;
};

// One daemon's part of the tree (see base/instance_tree.h), held by a lock that its janitor shares. The destructor
// kills and removes all of it, within 5 s, and lets the lock go. Thread-compatible.
class Instance {
 public:
  // Finds the base, and moves this whole process to a leaf `supervisor` when the base is a delegated one, since a
  // cgroup with processes cannot hand controllers down. Removes what instances without a living owner left; those that
  // are alive are not touched. An instance of this name that still ends is waited for; FAILED_PRECONDITION: it is in
  // use.
  static absl::StatusOr<std::unique_ptr<Instance>> Create(const InstanceOptions& options, const CgroupView& view,
                                                          Deadline deadline);

  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  // What the destructor does, with its outcome. Again: succeeds.
  absl::Status Remove(Deadline deadline);

  const std::string& name() const { return name_; }
  // Of the workload root, for people.
  const std::string& workload_path() const { return workload_.label(); }
  // For the janitor.
  const CgroupDir& base() const { return base_; }
  const CgroupDir& locked() const { return locked_; }
  const std::vector<ControllerStatus>& controllers() const { return controllers_; }

  // For a manager of the cgroups below the workload root.
  absl::StatusOr<CgroupManagerOptions> ManagerOptions(SettingLimits limits) const;

 private:
  struct Base;

  static absl::StatusOr<Base> FindBase(const InstanceOptions& options, const CgroupView& view);
  Instance(Base base, CgroupDir root, CgroupDir locked, CgroupDir workload);

  const std::string name_;
  const CgroupDir base_;
  const CgroupDir root_;
  const CgroupDir locked_;
  const CgroupDir workload_;
  const std::vector<ControllerStatus> controllers_;
  // Null: the base is the hierarchy's root.
  std::unique_ptr<SupervisorLeaf> supervisor_;
  bool removed_ = false;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_CGROUP_INSTANCE_H_
