#include "worker/host/membership.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace muster::host {
namespace {

// Above it nobody has cgroups.
constexpr int kMaxDepth = 64;

}  // namespace

void LookUpMembershipFiles(int directory) {
  std::string path = "cgroup.procs";
  for (int level = 0; level < kMaxDepth && faccessat(directory, path.c_str(), F_OK, 0) == 0; ++level)
    path.insert(0, "../");
}

CpuVisit::CpuVisit() : home_(GetAffinity(0).value_or(CpuSet())) {}

CpuVisit::~CpuVisit() {
  if (!away_) return;
  const absl::Status status = SetAffinity(0, home_);
  if (!status.ok()) LogWarning(absl::StrCat("pool host, after placing workers: ", status.message()));
}

void CpuVisit::GoTo(uint32_t cpu) {
  if (!home_.Contains(cpu)) return;
  CpuSet there;
  there.Add(cpu);
  away_ = SetAffinity(0, there).ok() || away_;
}

}  // namespace muster::host
