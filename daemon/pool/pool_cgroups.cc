#include "daemon/pool/pool_cgroups.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/error_detail.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "worker/control/channel.h"
#include "worker/control/spec.h"

namespace muster {

absl::Status PoolCgroups::Reserve() {
  for (int i = 0; i < kSpareDescriptors; ++i) {
    UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return ErrnoStatus(errno, "reserving descriptors for the pool");
    MutexLock lock(&mutex_);
    spare_.push_back(std::move(fd));
  }
  return absl::OkStatus();
}

absl::Status PoolCgroups::Acquire(const ResolvedSpec& resolved, absl::FunctionRef<absl::Status()> may_go_on) {
  RETURN_IF_ERROR(Reserve());
  for (int i = 0; i < resolved.spec.cgroups_size(); ++i) {
    RETURN_IF_ERROR(may_go_on());
    const v1::CgroupSpec& spec = resolved.spec.cgroups(i);
    const absl::Status made = provider_->Create(spec, pool_id_);
    if (!made.ok()) return Annotate(made, absl::StrCat("cgroups[", i, "]"));
    NoteMade(spec.name());
  }
  std::string own;
  for (uint32_t i = 0; i < resolved.groups.size(); ++i) {
    std::string name = resolved.groups[i].cgroup;
    if (name.empty() && own.empty()) {
      own = OwnCgroupName(pool_id_);
      // Before it is made: a call that fails half-way may leave it.
      NoteMade(own);
      RETURN_IF_ERROR(provider_->CreateOwn(pool_id_).status());
    }
    if (name.empty()) name = own;
    const absl::Status opened = Open(name);
    if (!opened.ok()) return Annotate(opened, absl::StrCat(GroupPath(i), "cgroup"));
    const auto at = std::find(names_.begin(), names_.end(), name);
    group_index_.push_back(at - names_.begin());
  }
  return absl::OkStatus();
}

absl::Status PoolCgroups::Open(const std::string& name) {
  if (std::find(names_.begin(), names_.end(), name) != names_.end()) return absl::OkStatus();
  // The arena's descriptor goes with them.
  constexpr size_t kMost = control::kMaxDescriptors - 1;
  if (names_.size() == kMost) return LimitError("cgroups_per_pool", kMost, "the groups name too many cgroups");
  ASSIGN_OR_RETURN(PoolCgroup cgroup, provider_->Open(name));
  const absl::StatusOr<uint64_t> kills = provider_->OomKills(name);
  if (kills.ok()) oom_kills_[name] = *kills;
  names_.push_back(name);
  directories_.push_back(std::move(cgroup.dir));
  return absl::OkStatus();
}

void PoolCgroups::NoteMade(const std::string& name) {
  MutexLock lock(&mutex_);
  made_.push_back(name);
}

void PoolCgroups::KillMade() {
  std::vector<std::string> made;
  {
    MutexLock lock(&mutex_);
    made = made_;
  }
  for (const std::string& name : made) {
    const absl::StatusOr<int> killed = provider_->Kill(name);
    if (!killed.ok() && !absl::IsNotFound(killed.status())) {
      LogWarning(
          absl::StrCat("pool ", pool_id_, ": killing what is in cgroup ", name, ": ", killed.status().message()));
    }
  }
}

bool PoolCgroups::OomKilledNow(const std::string& name) const {
  const auto before = oom_kills_.find(name);
  if (before == oom_kills_.end()) return false;
  const absl::StatusOr<uint64_t> now = provider_->OomKills(name);
  return now.ok() && *now > before->second;
}

bool PoolCgroups::OomKilledInGroup(uint32_t group_idx) const {
  if (group_idx >= group_index_.size()) return false;
  const uint32_t at = group_index_[group_idx];
  {
    MutexLock lock(&mutex_);
    if (at < oom_evidence_.size()) return oom_evidence_[at];
  }
  return OomKilledNow(names_[at]);
}

void PoolCgroups::SettleOomEvidence() {
  std::vector<bool> evidence;
  for (const std::string& name : names_) evidence.push_back(OomKilledNow(name));
  MutexLock lock(&mutex_);
  oom_evidence_ = std::move(evidence);
}

void PoolCgroups::Remove(Deadline deadline) {
  {
    MutexLock lock(&mutex_);
    spare_.clear();
  }
  while (true) {
    std::string name;
    {
      MutexLock lock(&mutex_);
      if (made_.empty()) return;
      name = std::move(made_.back());
      made_.pop_back();
    }
    const absl::Status removed = provider_->Remove(name, deadline);
    if (!removed.ok() && !absl::IsNotFound(removed)) {
      LogWarning(absl::StrCat("pool ", pool_id_, ": removing cgroup ", name, ": ", removed.message()));
      on_left_(name);
    }
  }
}

}  // namespace muster
