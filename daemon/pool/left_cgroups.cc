#include "daemon/pool/left_cgroups.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/log.h"

namespace muster {
namespace {

uint64_t InAPause() { return MonotonicNs() + absl::ToInt64Nanoseconds(LeftCgroups::kPause); }

}  // namespace

void LeftCgroups::Add(const std::string& name) {
  const absl::StatusOr<uint64_t> identity = provider_->Identify(name);
  if (!identity.ok()) {
    if (absl::IsNotFound(identity.status())) return;
    LogWarning(
        absl::StrCat("cgroup ", name, " is left, its removal is not tried again: ", identity.status().message()));
    return;
  }
  MutexLock lock(&mutex_);
  left_.push_back({name, *identity});
  if (next_ns_ == UINT64_MAX) next_ns_ = InAPause();
}

uint64_t LeftCgroups::next_ns() const {
  MutexLock lock(&mutex_);
  return next_ns_;
}

bool LeftCgroups::IsGone(const Left& left, absl::Duration timeout) const {
  const absl::StatusOr<uint64_t> identity = provider_->Identify(left.name);
  if (identity.ok() ? *identity != left.identity : absl::IsNotFound(identity.status())) return true;
  if (!identity.ok()) return false;
  const absl::Status removed = provider_->Remove(left.name, Deadline::After(timeout));
  if (removed.ok()) LogInfo(absl::StrCat("cgroup ", left.name, ", which could not be removed in time, is gone now"));
  return removed.ok() || absl::IsNotFound(removed);
}

void LeftCgroups::Retry(absl::Duration timeout) {
  std::vector<Left> tried;
  {
    MutexLock lock(&mutex_);
    tried = std::move(left_);
    left_.clear();
  }
  std::vector<Left> still;
  for (Left& left : tried) {
    if (!IsGone(left, timeout)) still.push_back(std::move(left));
  }
  MutexLock lock(&mutex_);
  left_.insert(left_.begin(), still.begin(), still.end());
  next_ns_ = left_.empty() ? UINT64_MAX : InAPause();
}

}  // namespace muster
