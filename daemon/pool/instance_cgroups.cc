#include "daemon/pool/instance_cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"

namespace muster {
namespace {

constexpr absl::string_view kOwnPrefix = ".pool-";

// A pool's own cgroup has a name that no user may write.
absl::StatusOr<CgroupPath> PathOf(const std::string& name) {
  absl::string_view rest = name;
  if (absl::ConsumePrefix(&rest, kOwnPrefix)) return CgroupPath::OfPool(rest);
  return CgroupPath::Parse(name, "cgroup");
}

// Processes in a cgroup and below it. A threaded one has none of its own.
absl::StatusOr<int> CountProcesses(const CgroupDir& dir) {
  const absl::StatusOr<std::vector<pid_t>> own = dir.ReadProcs();
  int count = own.ok() ? static_cast<int>(own->size()) : 0;
  ASSIGN_OR_RETURN(const std::vector<std::string> children, dir.Children());
  for (const std::string& name : children) {
    const absl::StatusOr<CgroupDir> child = dir.Open(name);
    if (!child.ok()) continue;
    ASSIGN_OR_RETURN(const int below, CountProcesses(*child));
    count += below;
  }
  return count;
}

absl::StatusOr<CpuSet> EffectiveCpusOfRoot(const CgroupDir& workload) {
  const bool has_cpuset = workload.HasFile("cpuset.cpus.effective");
  ASSIGN_OR_RETURN(const std::string cpus, has_cpuset ? workload.ReadFile("cpuset.cpus.effective")
                                                      : ReadFile("/sys/devices/system/cpu/online"));
  return CpuSet::Parse(cpus);
}

absl::StatusOr<UniqueFd> DescriptorOf(const CgroupDir& dir) {
  UniqueFd fd(fcntl(dir.fd(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("duplicating the descriptor of ", dir.label()));
  return fd;
}

}  // namespace

absl::StatusOr<CgroupDir> InstanceCgroups::OpenDir(const std::string& name) const {
  if (name.empty()) return workload_->Duplicate();
  ASSIGN_OR_RETURN(const CgroupPath path, PathOf(name));
  return manager_->Open(path);
}

absl::StatusOr<CpuSet> InstanceCgroups::EffectiveCpus(const std::string& name) {
  if (name.empty()) return EffectiveCpusOfRoot(*workload_);
  ASSIGN_OR_RETURN(const CgroupPath path, PathOf(name));
  return manager_->EffectiveCpus(path);
}

absl::StatusOr<PoolCgroup> InstanceCgroups::CreateOwn(const std::string& pool_id) {
  ASSIGN_OR_RETURN(const CgroupPath path, CgroupPath::OfPool(pool_id));
  RETURN_IF_ERROR(manager_->CreateForPool(path, Deadline::After(kCreateTimeout)).status());
  return Open(path.text());
}

absl::Status InstanceCgroups::Create(const v1::CgroupSpec& spec, const std::string& pool_id) {
  return manager_->CreateOwned(spec, pool_id, Deadline::After(kCreateTimeout)).status();
}

absl::StatusOr<PoolCgroup> InstanceCgroups::Open(const std::string& name) {
  ASSIGN_OR_RETURN(const CgroupPath path, PathOf(name));
  RETURN_IF_ERROR(manager_->CheckAcceptsTasks(path));
  ASSIGN_OR_RETURN(const CgroupDir dir, manager_->Open(path));
  PoolCgroup cgroup;
  cgroup.name = name;
  ASSIGN_OR_RETURN(cgroup.dir, DescriptorOf(dir));
  RETURN_IF_ERROR(FillDomain(path, &cgroup));
  return cgroup;
}

absl::Status InstanceCgroups::FillDomain(const CgroupPath& path, PoolCgroup* cgroup) const {
  std::map<std::string, v1::CgroupKind> kinds;
  for (const CgroupInfo& info : manager_->List()) kinds[info.name] = info.kind;
  cgroup->kind = kinds.count(path.text()) != 0 ? kinds[path.text()] : v1::DOMAIN;
  size_t depth = path.components().size();
  while (depth > 1 && kinds[path.Prefix(depth)] == v1::THREADED) --depth;
  cgroup->domain_name = path.Prefix(depth);
  ASSIGN_OR_RETURN(const CgroupDir domain, OpenDir(cgroup->domain_name));
  ASSIGN_OR_RETURN(cgroup->domain_dir, DescriptorOf(domain));
  return absl::OkStatus();
}

absl::StatusOr<int> InstanceCgroups::Kill(const std::string& name) {
  ASSIGN_OR_RETURN(const CgroupDir dir, OpenDir(name));
  ASSIGN_OR_RETURN(const int processes, CountProcesses(dir));
  RETURN_IF_ERROR(dir.Kill());
  return processes;
}

absl::Status InstanceCgroups::Remove(const std::string& name, Deadline deadline) {
  ASSIGN_OR_RETURN(const CgroupPath path, PathOf(name));
  return manager_->Remove(path, deadline).status();
}

absl::StatusOr<uint64_t> InstanceCgroups::Identify(const std::string& name) {
  ASSIGN_OR_RETURN(const CgroupDir dir, OpenDir(name));
  // The kernel numbers cgroups without ever using a number again.
  struct stat status;
  if (fstat(dir.fd(), &status) != 0) return ErrnoStatus(errno, absl::StrCat("fstat of cgroup ", name));
  return status.st_ino;
}

absl::StatusOr<uint64_t> InstanceCgroups::OomKills(const std::string& name) {
  ASSIGN_OR_RETURN(const CgroupDir dir, OpenDir(name));
  if (!dir.HasFile("memory.events")) {
    return absl::UnavailableError(absl::StrCat("cgroup ", name, " has no memory controller"));
  }
  ASSIGN_OR_RETURN(const std::string events, dir.ReadFile("memory.events"));
  for (absl::string_view line : absl::StrSplit(events, '\n')) {
    uint64_t kills = 0;
    if (absl::ConsumePrefix(&line, "oom_kill ") && absl::SimpleAtoi(line, &kills)) return kills;
  }
  return absl::UnavailableError(absl::StrCat("memory.events of cgroup ", name, " has no oom_kill"));
}

}  // namespace muster
