// The cgroups of one daemon: made, set up, opened and removed by name.
#ifndef MUSTER_DAEMON_CGROUP_CGROUP_MANAGER_H_
#define MUSTER_DAEMON_CGROUP_CGROUP_MANAGER_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/cgroup_dir.h"
#include "base/cpu_set.h"
#include "base/mutex.h"
#include "daemon/cgroup/controllers.h"
#include "daemon/cgroup/name.h"
#include "daemon/cgroup/settings.h"
#include "muster/v1/workload.pb.h"

namespace muster {

struct CgroupManagerOptions {
  // Workload root; everything is made below it.
  CgroupDir workload;
  // Those above it that are ours to hand controllers down through, topmost first, without the workload root.
  std::vector<CgroupDir> ancestors;
  std::vector<ControllerStatus> controllers;
  SettingLimits limits;
};

struct CgroupInfo {
  // Relative to the workload root.
  std::string name;
  // Absolute.
  std::string path;
  v1::CgroupKind kind = v1::DOMAIN;
  // Made only as the parent of another; goes with the last one below it.
  bool implicit = false;
};

// Knows every cgroup that it has made, and which of them a pool's spec asked for: these are that pool's alone. Of other
// owners it knows nothing. Destroying it removes none: the instance does. Thread-safe; calls about cgroups with one
// first component wait for each other, within their deadline.
class CgroupManager {
 public:
  explicit CgroupManager(CgroupManagerOptions options) : options_(std::move(options)) {}

  // Name, kind, settings and controllers, without making anything. `field` is what errors call the spec, as
  // "spec.cgroups[1]".
  absl::Status Validate(const v1::CgroupSpec& spec, absl::string_view field) const;

  // Makes it with its settings, and its parents along the path. Again with the same kind and settings: succeeds.
  // ALREADY_EXISTS: it has others, or it, one above it or one below it is a pool's. FAILED_PRECONDITION: a controller
  // is missing, or threads and domains would stand side by side. Nothing is left of a call that fails.
  absl::StatusOr<CgroupInfo> Create(const v1::CgroupSpec& spec, absl::string_view field, Deadline deadline);
  // One that a pool's spec asks for. ALREADY_EXISTS: it is there, the same or not; or something below it is not the
  // pool's.
  absl::StatusOr<CgroupInfo> CreateOwned(const v1::CgroupSpec& spec, absl::string_view pool_id, Deadline deadline);
  // The pool's own, without settings.
  absl::StatusOr<CgroupInfo> CreateForPool(const CgroupPath& pool_path, Deadline deadline);

  // Thaws, kills, waits until it is empty, removes it with all below. Returns the number of processes killed.
  // NOT_FOUND: never made or removed already. After another error it is still there and may be removed again.
  absl::StatusOr<int> Remove(const CgroupPath& path, Deadline deadline);
  // The same for a caller who may not touch pools. FAILED_PRECONDITION: it, or one below it, is a pool's.
  absl::StatusOr<int> RemoveBesidePools(const CgroupPath& path, Deadline deadline);

  // A descriptor of its own, for CLONE_INTO_CGROUP and for writes to cgroup.procs or cgroup.threads.
  absl::StatusOr<CgroupDir> Open(const CgroupPath& path) const;
  // CPUs that its tasks may use: of the nearest cpuset at or above it, else those online.
  absl::StatusOr<CpuSet> EffectiveCpus(const CgroupPath& path) const;
  // As the kernel calls it, see CgroupDir::Type.
  absl::StatusOr<std::string> Type(const CgroupPath& path) const;
  // FAILED_PRECONDITION, with the fix, when the kernel would refuse tasks or they would spoil what stands below: it
  // hands controllers down, is made invalid by threaded siblings, or has CPUs and no memory node.
  absl::Status CheckAcceptsTasks(const CgroupPath& path) const;

  // By name, implicit ones included.
  std::vector<CgroupInfo> List() const;
  const std::vector<ControllerStatus>& controllers() const { return options_.controllers; }

 private:
  struct Entry {
    v1::CgroupKind kind = v1::DOMAIN;
    bool implicit = false;
    std::vector<SettingWrite> settings;
    // Id of the pool whose spec asked for it; empty: no pool's.
    std::string pool = {};
  };
  // A validated request.
  struct Plan {
    CgroupPath path;
    Entry entry;
    std::string field;
  };
  class Reservation;

  absl::StatusOr<Plan> MakePlan(const v1::CgroupSpec& spec, absl::string_view field) const;
  absl::StatusOr<CgroupInfo> Carry(const Plan& plan, Deadline deadline);
  absl::Status CheckControllers(const Entry& entry) const;
  // Those down to ApplySettings are called with the first component reserved.
  absl::Status CheckAgainst(const Plan& plan, const Entry& existing) const;
  absl::Status CheckPools(const Plan& plan) const;
  absl::StatusOr<int> RemoveReserved(const CgroupPath& path, Deadline deadline);
  absl::StatusOr<v1::CgroupKind> ParentKind(const Plan& plan) const;
  absl::Status Make(const Plan& plan, Deadline deadline);
  absl::Status MakeDirectories(const Plan& plan, std::string* topmost_made);
  absl::Status HandDownControllers(const Plan& plan) const;
  absl::Status ApplySettings(const Plan& plan) const;
  void Forget(absl::string_view name);
  void RemoveImplicitParents(const CgroupPath& path);
  // Takes back from the parents of `path` the controllers that nothing below them needs any more.
  void TrimControllers(const CgroupPath& path) const;
  absl::StatusOr<CgroupDir> OpenName(absl::string_view name) const;
  absl::StatusOr<CgroupDir> OpenParent(absl::string_view name) const;
  absl::StatusOr<int> RemoveTree(absl::string_view name, Deadline deadline) const;
  bool Find(absl::string_view name, Entry* entry) const;
  // Those that were asked for.
  std::vector<std::pair<std::string, Entry>> FindAtOrBelow(absl::string_view name) const;
  CgroupInfo InfoOf(absl::string_view name, const Entry& entry) const;

  const CgroupManagerOptions options_;
  mutable Mutex mutex_;
  CondVar released_;
  // By name. While a first component is reserved, only the holder changes the entries below it.
  std::map<std::string, Entry, std::less<>> entries_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> reserved_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_CGROUP_CGROUP_MANAGER_H_
