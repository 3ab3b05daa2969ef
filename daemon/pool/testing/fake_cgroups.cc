#include "daemon/pool/testing/fake_cgroups.h"

#include <fcntl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"

namespace muster {

void FakeCgroups::Add(const std::string& name, const std::string& cpus, v1::CgroupKind kind) {
  MutexLock lock(&mutex_);
  cgroups_[name].cpus = CpuSet::Parse(cpus).value();
  cgroups_[name].kind = kind;
}

void FakeCgroups::SetOomKills(const std::string& name, uint64_t kills) {
  MutexLock lock(&mutex_);
  cgroups_[name].has_memory = true;
  cgroups_[name].oom_kills = kills;
}

void FakeCgroups::OnOpen(std::function<void()> hook) {
  MutexLock lock(&mutex_);
  on_open_ = std::move(hook);
}

void FakeCgroups::FailRemoval(const std::string& name, absl::Status error) {
  MutexLock lock(&mutex_);
  removal_errors_[name] = std::move(error);
}

std::vector<std::string> FakeCgroups::Left() {
  MutexLock lock(&mutex_);
  std::vector<std::string> names;
  for (const auto& [name, cgroup] : cgroups_) {
    if (cgroup.made) names.push_back(name);
  }
  return names;
}

uint64_t FakeCgroups::made() {
  MutexLock lock(&mutex_);
  return last_identity_;
}

std::vector<std::string> FakeCgroups::Killed() {
  MutexLock lock(&mutex_);
  return killed_;
}

absl::Status FakeCgroups::Validate(const v1::CgroupSpec& spec, const std::string& field) {
  if (spec.settings().cpu_weight() <= 10'000) return absl::OkStatus();
  return FieldError(absl::StrCat(field, ".settings.cpu_weight"), "choose 1 to 10000");
}

absl::StatusOr<CpuSet> FakeCgroups::EffectiveCpus(const std::string& name) {
  MutexLock lock(&mutex_);
  if (name.empty()) return CpuSet::Parse("0-3");
  const auto found = cgroups_.find(name);
  if (found == cgroups_.end()) return absl::NotFoundError(absl::StrCat("no cgroup ", name));
  return found->second.cpus;
}

absl::StatusOr<PoolCgroup> FakeCgroups::CreateOwn(const std::string& pool_id) {
  const std::string name = absl::StrCat(".pool-", pool_id);
  {
    MutexLock lock(&mutex_);
    cgroups_[name].made = true;
    cgroups_[name].identity = ++last_identity_;
  }
  return Open(name);
}

absl::Status FakeCgroups::Create(const v1::CgroupSpec& spec, const std::string&) {
  MutexLock lock(&mutex_);
  if (cgroups_.count(spec.name()) != 0)
    return absl::AlreadyExistsError(absl::StrCat("cgroup ", spec.name(), " is there"));
  cgroups_[spec.name()].made = true;
  cgroups_[spec.name()].identity = ++last_identity_;
  return absl::OkStatus();
}

absl::StatusOr<PoolCgroup> FakeCgroups::Open(const std::string& name) {
  std::function<void()> hook;
  {
    MutexLock lock(&mutex_);
    hook = on_open_;
  }
  if (hook) hook();
  MutexLock lock(&mutex_);
  const auto found = cgroups_.find(name);
  if (found == cgroups_.end()) return absl::NotFoundError(absl::StrCat("no cgroup ", name));
  PoolCgroup cgroup;
  cgroup.name = cgroup.domain_name = name;
  cgroup.kind = found->second.kind;
  cgroup.dir = UniqueFd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  cgroup.domain_dir = UniqueFd(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return cgroup;
}

absl::StatusOr<int> FakeCgroups::Kill(const std::string& name) {
  MutexLock lock(&mutex_);
  killed_.push_back(name);
  return 0;
}

absl::Status FakeCgroups::Remove(const std::string& name, Deadline) {
  MutexLock lock(&mutex_);
  const auto error = removal_errors_.find(name);
  if (error != removal_errors_.end()) {
    absl::Status status = std::move(error->second);
    removal_errors_.erase(error);
    return status;
  }
  return cgroups_.erase(name) != 0 ? absl::OkStatus() : absl::NotFoundError(name);
}

absl::StatusOr<uint64_t> FakeCgroups::Identify(const std::string& name) {
  MutexLock lock(&mutex_);
  const auto found = cgroups_.find(name);
  if (found == cgroups_.end()) return absl::NotFoundError(name);
  return found->second.identity;
}

absl::StatusOr<uint64_t> FakeCgroups::OomKills(const std::string& name) {
  MutexLock lock(&mutex_);
  const auto found = cgroups_.find(name);
  if (found == cgroups_.end() || !found->second.has_memory) return absl::UnavailableError("no memory controller");
  return found->second.oom_kills;
}

}  // namespace muster
