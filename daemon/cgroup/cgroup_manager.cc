#include "daemon/cgroup/cgroup_manager.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace muster {
namespace {

bool IsThreadTree(v1::CgroupKind kind) { return kind == v1::THREADED_ROOT || kind == v1::THREADED; }

bool IsBelow(absl::string_view name, absl::string_view parent) {
  return name.size() > parent.size() && absl::StartsWith(name, parent) && name[parent.size()] == '/';
}

absl::Status Misplaced(absl::string_view name, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat("cgroup ", name, ": ", why));
}

}  // namespace

// Holds the first component of a path while it lives.
class CgroupManager::Reservation {
 public:
  static absl::StatusOr<std::unique_ptr<Reservation>> Take(CgroupManager* manager, const CgroupPath& path,
                                                           Deadline deadline) {
    const std::string& top = path.components()[0];
    MutexLock lock(&manager->mutex_);
    while (!manager->reserved_.insert(top).second) {
      if (!manager->released_.WaitUntil(&manager->mutex_, deadline.when()) && deadline.Expired()) {
        return absl::DeadlineExceededError(
            absl::StrCat("cgroup ", path.text(), ": another call is still at work on ", top));
      }
    }
    return std::unique_ptr<Reservation>(new Reservation(manager, top));
  }
  ~Reservation() {
    MutexLock lock(&manager_->mutex_);
    manager_->reserved_.erase(top_);
    manager_->released_.NotifyAll();
  }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

 private:
  Reservation(CgroupManager* manager, std::string top) : manager_(manager), top_(std::move(top)) {}

  CgroupManager* const manager_;
  const std::string top_;
};

absl::StatusOr<CgroupManager::Plan> CgroupManager::MakePlan(const v1::CgroupSpec& spec, absl::string_view field) const {
  ASSIGN_OR_RETURN(CgroupPath path, CgroupPath::Parse(spec.name(), absl::StrCat(field, ".name")));
  Entry entry;
  if (spec.has_kind()) entry.kind = spec.kind();
  if (entry.kind != v1::DOMAIN && !IsThreadTree(entry.kind)) {
    return FieldError(absl::StrCat(field, ".kind"),
                      absl::StrCat(static_cast<int>(entry.kind),
                                   " is no kind; use DOMAIN, THREADED_ROOT or THREADED, or leave it out"));
  }
  ASSIGN_OR_RETURN(entry.settings, ResolveSettings(spec, field, options_.limits));
  RETURN_IF_ERROR(CheckControllers(entry));
  return Plan{std::move(path), std::move(entry), std::string(field)};
}

absl::Status CgroupManager::CheckControllers(const Entry& entry) const {
  for (const SettingWrite& write : entry.settings) {
    const auto status = std::find_if(options_.controllers.begin(), options_.controllers.end(),
                                     [&](const ControllerStatus& known) { return known.name == write.controller; });
    if (status != options_.controllers.end() && status->available) continue;
    return PreconditionError(
        {"CGROUP_CONTROLLER", write.controller},
        absl::StrCat(write.field, ": needs the cgroup controller ", write.controller, ", which is missing: ",
                     status != options_.controllers.end() ? status->reason : "not in this kernel"));
  }
  return absl::OkStatus();
}

absl::Status CgroupManager::Validate(const v1::CgroupSpec& spec, absl::string_view field) const {
  return MakePlan(spec, field).status();
}

absl::StatusOr<CgroupInfo> CgroupManager::Create(const v1::CgroupSpec& spec, absl::string_view field,
                                                 Deadline deadline) {
  ASSIGN_OR_RETURN(const Plan plan, MakePlan(spec, field));
  return Carry(plan, deadline);
}

absl::StatusOr<CgroupInfo> CgroupManager::CreateOwned(const v1::CgroupSpec& spec, absl::string_view pool_id,
                                                      Deadline deadline) {
  ASSIGN_OR_RETURN(Plan plan, MakePlan(spec, "cgroups"));
  plan.entry.pool = std::string(pool_id);
  return Carry(plan, deadline);
}

absl::StatusOr<CgroupInfo> CgroupManager::CreateForPool(const CgroupPath& pool_path, Deadline deadline) {
  return Carry(Plan{pool_path, Entry{}, "pool"}, deadline);
}

absl::StatusOr<CgroupInfo> CgroupManager::Carry(const Plan& plan, Deadline deadline) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Reservation> reservation, Reservation::Take(this, plan.path, deadline));
  RETURN_IF_ERROR(CheckPools(plan));
  Entry existing;
  if (Find(plan.path.text(), &existing)) {
    const absl::Status opened = OpenName(plan.path.text()).status();
    if (absl::IsNotFound(opened)) {
      // Removed behind our back, with all below it.
      Forget(plan.path.text());
    } else {
      // Want of descriptors, say, says nothing of the cgroup.
      RETURN_IF_ERROR(opened);
      RETURN_IF_ERROR(CheckAgainst(plan, existing));
      if (!existing.implicit) return InfoOf(plan.path.text(), existing);
    }
  }
  RETURN_IF_ERROR(Make(plan, deadline));
  return InfoOf(plan.path.text(), plan.entry);
}

absl::Status CgroupManager::CheckAgainst(const Plan& plan, const Entry& existing) const {
  if (existing.kind != plan.entry.kind) {
    return absl::AlreadyExistsError(absl::StrCat(
        plan.field, ".kind: cgroup ", plan.path.text(), " exists as ", v1::CgroupKind_Name(existing.kind),
        existing.implicit ? ", made as a parent of another; make it before those below it" : "; remove it first"));
  }
  if (existing.implicit || existing.settings == plan.entry.settings) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(plan.field, ".settings: cgroup ", plan.path.text(),
                                               " exists with other settings; remove it first, or ask for the same"));
}

absl::StatusOr<v1::CgroupKind> CgroupManager::ParentKind(const Plan& plan) const {
  const size_t depth = plan.path.components().size();
  Entry nearest;
  std::string name;
  for (size_t count = depth - 1; count > 0 && name.empty(); --count) {
    if (Find(plan.path.Prefix(count), &nearest)) name = plan.path.Prefix(count);
  }
  const bool below_threads = !name.empty() && IsThreadTree(nearest.kind);
  if (plan.entry.kind == v1::THREADED && !below_threads) {
    return Misplaced(plan.path.text(), depth == 1
                                           ? "a THREADED one stands below a THREADED_ROOT; name it as \"root/threads\""
                                           : "there is no THREADED_ROOT above it; make that first");
  }
  if (plan.entry.kind != v1::THREADED && below_threads) {
    return Misplaced(
        plan.path.text(),
        absl::StrCat(name, " is ", v1::CgroupKind_Name(nearest.kind),
                     ", which holds threads and nothing beside them; make this one THREADED, or elsewhere"));
  }
  return plan.entry.kind == v1::THREADED ? v1::THREADED : v1::DOMAIN;
}

absl::Status CgroupManager::Make(const Plan& plan, Deadline deadline) {
  std::string topmost_made;
  absl::Status status = MakeDirectories(plan, &topmost_made);
  if (status.ok()) status = HandDownControllers(plan);
  if (status.ok()) status = ApplySettings(plan);
  if (status.ok()) {
    MutexLock lock(&mutex_);
    entries_[plan.path.text()] = plan.entry;
    return status;
  }
  if (!topmost_made.empty()) {
    const absl::StatusOr<int> removed = RemoveTree(topmost_made, deadline);
    // What could not be removed stays known, so that it can be removed later.
    if (removed.ok()) {
      Forget(topmost_made);
    } else {
      LogWarning(absl::StrCat("undo the making of a cgroup: ", removed.status().message()));
    }
  }
  TrimControllers(plan.path);
  return status;
}

absl::Status CgroupManager::MakeDirectories(const Plan& plan, std::string* topmost_made) {
  ASSIGN_OR_RETURN(const v1::CgroupKind parent_kind, ParentKind(plan));
  ASSIGN_OR_RETURN(CgroupDir dir, options_.workload.Duplicate());
  const size_t depth = plan.path.components().size();
  for (size_t level = 1; level <= depth; ++level) {
    const std::string name = plan.path.Prefix(level);
    const std::string& component = plan.path.components()[level - 1];
    Entry existing;
    if (Find(name, &existing)) {
      ASSIGN_OR_RETURN(dir, dir.Open(component));
      continue;
    }
    // One that is there and that we did not make belongs to a workload.
    ASSIGN_OR_RETURN(dir, dir.CreateNew(component));
    if (topmost_made->empty()) *topmost_made = name;
    const v1::CgroupKind kind = level == depth ? plan.entry.kind : parent_kind;
    if (kind == v1::THREADED) RETURN_IF_ERROR(dir.MakeThreaded());
    MutexLock lock(&mutex_);
    entries_[name] = Entry{kind, true, {}, ""};
  }
  ASSIGN_OR_RETURN(const std::string type, dir.Type());
  if (type == "domain invalid") {
    return Misplaced(plan.path.text(),
                     "its parent holds threads or processes beside it, so the kernel lets nothing live in it; "
                     "make it elsewhere, or move those away first");
  }
  return absl::OkStatus();
}

absl::Status CgroupManager::ApplySettings(const Plan& plan) const {
  if (plan.entry.settings.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const CgroupDir dir, OpenName(plan.path.text()));
  for (const SettingWrite& write : plan.entry.settings) {
    if (!dir.HasFile(write.file)) {
      return absl::FailedPreconditionError(
          absl::StrCat(write.field, ": this kernel's controller ", write.controller, " has no ", write.file));
    }
    const absl::Status written = dir.WriteFile(write.file, write.value);
    if (!written.ok()) return absl::Status(written.code(), absl::StrCat(write.field, ": ", written.message()));
    if (write.controller != "cpuset") continue;
    // The kernel takes any set and quietly grants another one when the parent has less.
    ASSIGN_OR_RETURN(const std::string text, dir.ReadFile(absl::StrCat(write.file, ".effective")));
    ASSIGN_OR_RETURN(const CpuSet effective, CpuSet::Parse(text));
    if (effective.ToString() != write.value) {
      return absl::FailedPreconditionError(absl::StrCat(write.field, ": asked for ", write.value,
                                                        ", but those above grant only ", effective.ToString(),
                                                        "; ask for a part of these"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int> CgroupManager::Remove(const CgroupPath& path, Deadline deadline) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Reservation> reservation, Reservation::Take(this, path, deadline));
  return RemoveReserved(path, deadline);
}

absl::StatusOr<int> CgroupManager::RemoveBesidePools(const CgroupPath& path, Deadline deadline) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Reservation> reservation, Reservation::Take(this, path, deadline));
  for (const auto& [name, entry] : FindAtOrBelow(path.text())) {
    if (entry.pool.empty()) continue;
    return PreconditionError({"CGROUP_STATE", name}, absl::StrCat("cgroup ", path.text(), " stays: ", name, " is pool ",
                                                                  entry.pool, "'s; drop that pool first"));
  }
  return RemoveReserved(path, deadline);
}

absl::StatusOr<int> CgroupManager::RemoveReserved(const CgroupPath& path, Deadline deadline) {
  Entry entry;
  if (!Find(path.text(), &entry)) return absl::NotFoundError(absl::StrCat("no cgroup ", path.text()));
  const absl::StatusOr<int> killed = RemoveTree(path.text(), deadline);
  if (!killed.ok()) return killed;
  Forget(path.text());
  RemoveImplicitParents(path);
  TrimControllers(path);
  return killed;
}

absl::StatusOr<CgroupDir> CgroupManager::OpenParent(absl::string_view name) const {
  const size_t slash = name.rfind('/');
  return slash == name.npos ? options_.workload.Duplicate() : OpenName(name.substr(0, slash));
}

absl::StatusOr<int> CgroupManager::RemoveTree(absl::string_view name, Deadline deadline) const {
  const absl::StatusOr<CgroupDir> parent = OpenParent(name);
  // A parent that somebody else has removed took this one along.
  if (parent.status().code() == absl::StatusCode::kNotFound) return 0;
  if (!parent.ok()) return parent.status();
  return RemoveCgroupTree(*parent, name.substr(name.rfind('/') + 1), deadline);
}

void CgroupManager::Forget(absl::string_view name) {
  MutexLock lock(&mutex_);
  for (auto it = entries_.begin(); it != entries_.end();) {
    it = it->first == name || IsBelow(it->first, name) ? entries_.erase(it) : std::next(it);
  }
}

void CgroupManager::RemoveImplicitParents(const CgroupPath& path) {
  for (size_t level = path.components().size() - 1; level > 0; --level) {
    const std::string name = path.Prefix(level);
    Entry entry;
    if (!Find(name, &entry) || !entry.implicit) return;
    const absl::StatusOr<CgroupDir> parent = OpenParent(name);
    // Refused by the kernel while it has other children, or while somebody was put into it.
    const absl::Status removed = parent.ok() ? parent->RemoveEmpty(path.components()[level - 1]) : parent.status();
    if (!removed.ok() && removed.code() != absl::StatusCode::kNotFound) return;
    Forget(name);
  }
}

}  // namespace muster
