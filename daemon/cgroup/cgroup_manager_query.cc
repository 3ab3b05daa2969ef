// CgroupManager: controllers along a path, and questions that change nothing.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "daemon/cgroup/cgroup_manager.h"

namespace muster {
namespace {

std::vector<std::string> NeededControllers(const std::vector<SettingWrite>& settings) {
  std::set<std::string> names;
  for (const SettingWrite& write : settings) names.insert(write.controller);
  return {names.begin(), names.end()};
}

absl::Status HandDown(const CgroupDir& dir, const std::vector<std::string>& controllers) {
  const absl::Status enabled = dir.EnableControllers(controllers);
  // EBUSY; cgroups(7), "no internal processes".
  if (enabled.code() != absl::StatusCode::kFailedPrecondition) return enabled;
  return absl::FailedPreconditionError(
      absl::StrCat(enabled.message(),
                   "; a cgroup with processes of its own cannot hand controllers down: move them to one below it"));
}

}  // namespace

absl::Status CgroupManager::HandDownControllers(const Plan& plan) const {
  const std::vector<std::string> needed = NeededControllers(plan.entry.settings);
  if (needed.empty()) return absl::OkStatus();
  for (const CgroupDir& ancestor : options_.ancestors) RETURN_IF_ERROR(HandDown(ancestor, needed));
  RETURN_IF_ERROR(HandDown(options_.workload, needed));
  for (size_t level = 1; level < plan.path.components().size(); ++level) {
    ASSIGN_OR_RETURN(const CgroupDir parent, OpenName(plan.path.Prefix(level)));
    RETURN_IF_ERROR(HandDown(parent, needed));
  }
  return absl::OkStatus();
}

void CgroupManager::TrimControllers(const CgroupPath& path) const {
  // The deepest first: the kernel refuses to take back what is handed on further down.
  for (size_t level = path.components().size() - 1; level > 0; --level) {
    const std::string name = path.Prefix(level);
    const absl::StatusOr<CgroupDir> dir = OpenName(name);
    if (!dir.ok()) continue;
    std::set<std::string> needed;
    {
      MutexLock lock(&mutex_);
      for (const auto& [below, entry] : entries_) {
        if (!absl::StartsWith(below, name + "/")) continue;
        for (const SettingWrite& write : entry.settings) needed.insert(write.controller);
      }
    }
    std::vector<std::string> enabled = dir->EnabledControllers().value_or(std::vector<std::string>());
    enabled.erase(
        std::remove_if(enabled.begin(), enabled.end(), [&](const std::string& c) { return needed.count(c) > 0; }),
        enabled.end());
    const absl::Status disabled = dir->DisableControllers(enabled);
    if (!disabled.ok()) LogWarning(absl::StrCat("take back controllers: ", disabled.message()));
  }
}

absl::StatusOr<CgroupDir> CgroupManager::OpenName(absl::string_view name) const {
  return options_.workload.OpenBelow(name);
}

bool CgroupManager::Find(absl::string_view name, Entry* entry) const {
  MutexLock lock(&mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return false;
  *entry = found->second;
  return true;
}

std::vector<std::pair<std::string, CgroupManager::Entry>> CgroupManager::FindAtOrBelow(absl::string_view name) const {
  std::vector<std::pair<std::string, Entry>> found;
  MutexLock lock(&mutex_);
  const auto at = entries_.find(name);
  if (at != entries_.end() && !at->second.implicit) found.push_back(*at);
  const std::string below = absl::StrCat(name, "/");
  for (auto it = entries_.lower_bound(below); it != entries_.end() && absl::StartsWith(it->first, below); ++it) {
    if (!it->second.implicit) found.push_back(*it);
  }
  return found;
}

absl::Status CgroupManager::CheckPools(const Plan& plan) const {
  const std::string& name = plan.path.text();
  const std::string& pool = plan.entry.pool;
  const auto refuse = [&](absl::string_view why) {
    const std::string asks = pool.empty() ? "" : absl::StrCat("pool ", pool, " asks for a cgroup of its own: ");
    return absl::AlreadyExistsError(absl::StrCat(plan.field, ".name: ", asks, "cgroup ", name, why));
  };
  const auto owner = [](const Entry& entry) {
    return entry.pool.empty() ? "a client" : absl::StrCat("pool ", entry.pool);
  };
  for (size_t level = 1; level < plan.path.components().size(); ++level) {
    Entry above;
    if (!Find(plan.path.Prefix(level), &above) || above.pool.empty() || above.pool == pool) continue;
    return refuse(absl::StrCat(" would stand in ", plan.path.Prefix(level), ", which goes with ", owner(above),
                               "; choose another name"));
  }
  for (const auto& [taken, entry] : FindAtOrBelow(name)) {
    if (taken == name) {
      if (pool.empty() && entry.pool.empty()) return absl::OkStatus();
      return refuse(absl::StrCat(" is there, made by ", owner(entry), "; choose another name",
                                 pool.empty() ? "" : ", or leave it out of `cgroups` to use the one there is"));
    }
    if (entry.pool != pool) {
      return refuse(absl::StrCat(" would own ", taken, ", which ", owner(entry), " has made; choose another name"));
    }
  }
  return absl::OkStatus();
}

CgroupInfo CgroupManager::InfoOf(absl::string_view name, const Entry& entry) const {
  return {std::string(name), absl::StrCat(options_.workload.label(), "/", name), entry.kind, entry.implicit};
}

absl::StatusOr<CgroupDir> CgroupManager::Open(const CgroupPath& path) const {
  Entry entry;
  if (!Find(path.text(), &entry)) {
    return absl::NotFoundError(absl::StrCat("no cgroup ", path.text(), "; make it with CreateCgroup first"));
  }
  return OpenName(path.text());
}

absl::StatusOr<std::string> CgroupManager::Type(const CgroupPath& path) const {
  ASSIGN_OR_RETURN(const CgroupDir dir, Open(path));
  return dir.Type();
}

absl::StatusOr<CpuSet> CgroupManager::EffectiveCpus(const CgroupPath& path) const {
  constexpr char kFile[] = "cpuset.cpus.effective";
  RETURN_IF_ERROR(Open(path).status());
  for (size_t level = path.components().size(); level > 0; --level) {
    ASSIGN_OR_RETURN(const CgroupDir dir, OpenName(path.Prefix(level)));
    if (!dir.HasFile(kFile)) continue;
    ASSIGN_OR_RETURN(const std::string text, dir.ReadFile(kFile));
    return CpuSet::Parse(text);
  }
  std::vector<const CgroupDir*> above = {&options_.workload};
  for (auto it = options_.ancestors.rbegin(); it != options_.ancestors.rend(); ++it) above.push_back(&*it);
  for (const CgroupDir* dir : above) {
    if (!dir->HasFile(kFile)) continue;
    ASSIGN_OR_RETURN(const std::string text, dir->ReadFile(kFile));
    return CpuSet::Parse(text);
  }
  return options_.limits.online_cpus;
}

absl::Status CgroupManager::CheckAcceptsTasks(const CgroupPath& path) const {
  ASSIGN_OR_RETURN(const CgroupDir dir, Open(path));
  const auto refuse = [&](absl::string_view why) {
    return absl::FailedPreconditionError(absl::StrCat("cgroup ", path.text(), " takes no tasks: ", why));
  };
  ASSIGN_OR_RETURN(const std::string type, dir.Type());
  if (type == "domain invalid") return refuse("threads live beside it; use a DOMAIN whose parent holds no threads");
  Entry entry;
  const bool holds_threads = Find(path.text(), &entry) && entry.kind != v1::DOMAIN;
  ASSIGN_OR_RETURN(const std::vector<std::string> handed_down, dir.EnabledControllers());
  if (!holds_threads && !handed_down.empty()) {
    return refuse(absl::StrCat("it hands controllers (", absl::StrJoin(handed_down, " "),
                               ") down to those below it; place the tasks in one of these"));
  }
  if (!dir.HasFile("cpuset.mems.effective")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string cpus, dir.ReadFile("cpuset.cpus"));
  ASSIGN_OR_RETURN(const std::string mems, dir.ReadFile("cpuset.mems.effective"));
  const bool no_memory = absl::StripAsciiWhitespace(mems).empty() && !absl::StripAsciiWhitespace(cpus).empty();
  return no_memory ? refuse("it has CPUs and no memory node; set cpuset_mems") : absl::OkStatus();
}

std::vector<CgroupInfo> CgroupManager::List() const {
  MutexLock lock(&mutex_);
  std::vector<CgroupInfo> infos;
  for (const auto& [name, entry] : entries_) infos.push_back(InfoOf(name, entry));
  return infos;
}

}  // namespace muster
