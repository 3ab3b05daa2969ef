#include "daemon/cgroup/instance.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/cgroup_mounts.h"
#include "base/file_io.h"
#include "base/instance_tree.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "daemon/cgroup/instance_lock.h"
#include "daemon/cgroup/name.h"

namespace muster {
namespace {

constexpr absl::Duration kRemovalTime = absl::Seconds(5);

// systemd marks what it hands over: trusted. for root's units, user. for those of users.
bool IsDelegated(const CgroupDir& dir) {
  for (const char* attribute : {"trusted.delegate", "user.delegate"}) {
    char value = 0;
    if (fgetxattr(dir.fd(), attribute, &value, 1) == 1 && value == '1') return true;
  }
  return false;
}

absl::StatusOr<CgroupDir> OpenOwn(const CgroupDir& mount, absl::string_view own_path) {
  absl::ConsumePrefix(&own_path, "/");
  return own_path.empty() ? mount.Duplicate() : mount.OpenBelow(own_path);
}

// The cgroup handed to this process, or the mount. A process started by a daemon stands in the supervisor leaf of one.
absl::StatusOr<CgroupDir> DetectBase(const CgroupDir& mount, absl::string_view own_path) {
  const absl::StatusOr<CgroupDir> own = OpenOwn(mount, own_path);
  if (own.ok() && IsDelegated(*own)) return own->Duplicate();
  absl::string_view parent = own_path;
  if (absl::ConsumeSuffix(&parent, absl::StrCat("/", kSupervisorCgroup)) && !parent.empty()) {
    const absl::StatusOr<CgroupDir> above = OpenOwn(mount, parent);
    if (above.ok() && IsDelegated(*above)) return above->Duplicate();
  }
  return mount.Duplicate();
}

std::string RandomName() {
  std::random_device random;
  return absl::StrCat("d", getpid(), "-", absl::Hex(random(), absl::kZeroPad8));
}

absl::StatusOr<std::vector<ControllerStatus>> Explain(const CgroupDir& mount, const CgroupDir& base,
                                                      const CgroupView& view) {
  ASSIGN_OR_RETURN(std::vector<std::string> hierarchy, mount.Controllers());
  ASSIGN_OR_RETURN(std::vector<std::string> granted, base.Controllers());
  return ExplainControllers(
      {view.mountinfo, view.proc_cgroups, std::move(hierarchy), std::move(granted), base.label()});
}

// An empty one: what is there was left by a daemon of the same name that died together with its janitor.
absl::StatusOr<CgroupDir> MakeWorkload(const CgroupDir& instance, Deadline deadline) {
  RETURN_IF_ERROR(RemoveCgroupTree(instance, kWorkloadCgroup, deadline).status());
  return instance.Create(kWorkloadCgroup);
}

}  // namespace

struct Instance::Base {
  std::string name;
  CgroupDir dir;
  std::vector<ControllerStatus> controllers;
  std::unique_ptr<SupervisorLeaf> supervisor;
};

absl::StatusOr<CgroupView> CgroupView::OfThisProcess() {
  ASSIGN_OR_RETURN(std::string mountinfo, ReadFile("/proc/self/mountinfo"));
  ASSIGN_OR_RETURN(std::string own_cgroup, ReadFile("/proc/self/cgroup"));
  // Kernels with version 2 only may lack it.
  return CgroupView{std::move(mountinfo), std::move(own_cgroup), ReadFile("/proc/cgroups").value_or("")};
}

absl::StatusOr<Instance::Base> Instance::FindBase(const InstanceOptions& options, const CgroupView& view) {
  const std::string name = options.name.empty() ? RandomName() : options.name;
  RETURN_IF_ERROR(CheckInstanceName(name));
  ASSIGN_OR_RETURN(const std::string mount_path, FindCgroup2Mount(view.mountinfo));
  ASSIGN_OR_RETURN(const CgroupDir mount, CgroupDir::OpenPath(mount_path));
  ASSIGN_OR_RETURN(const std::string own_path, ParseCgroupFile(view.own_cgroup));
  ASSIGN_OR_RETURN(CgroupDir dir, options.cgroup_root.empty() ? DetectBase(mount, own_path)
                                                              : CgroupDir::OpenPath(options.cgroup_root));
  ASSIGN_OR_RETURN(std::vector<ControllerStatus> controllers, Explain(mount, dir, view));
  Base base{name, std::move(dir), std::move(controllers), nullptr};
  // The hierarchy's root, and it alone, may hold processes and hand controllers down all the same.
  ASSIGN_OR_RETURN(const std::string type, base.dir.Type());
  if (type == "root") return base;
  ASSIGN_OR_RETURN(const CgroupDir own, OpenOwn(mount, own_path));
  ASSIGN_OR_RETURN(base.supervisor, SupervisorLeaf::Enter(base.dir, own));
  return base;
}

Instance::Instance(Base base, CgroupDir root, CgroupDir locked, CgroupDir workload)
    : name_(std::move(base.name)),
      base_(std::move(base.dir)),
      root_(std::move(root)),
      locked_(std::move(locked)),
      workload_(std::move(workload)),
      controllers_(std::move(base.controllers)),
      supervisor_(std::move(base.supervisor)) {}

absl::StatusOr<std::unique_ptr<Instance>> Instance::Create(const InstanceOptions& options, const CgroupView& view,
                                                           Deadline deadline) {
  ASSIGN_OR_RETURN(Base base, FindBase(options, view));
  ASSIGN_OR_RETURN(LockedInstance locked, LockInstance(base.dir, base.name, deadline));
  RemoveStaleInstances(locked.root, deadline);
  absl::StatusOr<CgroupDir> workload = MakeWorkload(locked.directory, deadline);
  if (!workload.ok()) {
    RemoveInstanceTree(base.dir, base.name, locked.directory, deadline).IgnoreError();
    return workload.status();
  }
  return std::unique_ptr<Instance>(
      new Instance(std::move(base), std::move(locked.root), std::move(locked.directory), *std::move(workload)));
}

Instance::~Instance() {
  const absl::Status removed = Remove(Deadline::After(kRemovalTime));
  if (!removed.ok()) LogWarning(absl::StrCat("remove instance ", name_, ": ", removed.message()));
}

absl::Status Instance::Remove(Deadline deadline) {
  if (removed_) return absl::OkStatus();
  RETURN_IF_ERROR(RemoveInstanceTree(base_, name_, locked_, deadline));
  removed_ = true;
  supervisor_.reset();
  return absl::OkStatus();
}

absl::StatusOr<CgroupManagerOptions> Instance::ManagerOptions(SettingLimits limits) const {
  ASSIGN_OR_RETURN(CgroupDir workload, workload_.Duplicate());
  std::vector<CgroupDir> ancestors;
  for (const CgroupDir* dir : {&base_, &root_, &locked_}) {
    ASSIGN_OR_RETURN(CgroupDir copy, dir->Duplicate());
    ancestors.push_back(std::move(copy));
  }
  return CgroupManagerOptions{std::move(workload), std::move(ancestors), controllers_, std::move(limits)};
}

}  // namespace muster
