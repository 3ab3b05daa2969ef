#include "worker/core/setup.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"
#include "base/file_io.h"
#include "base/status_macros.h"
#include "google/protobuf/util/time_util.h"
#include "worker/arena/text.h"
#include "worker/core/sched_attr.h"

namespace muster {
namespace {

using google::protobuf::util::TimeUtil;

// Newer than this system's linux/mempolicy.h (Linux 6.9).
constexpr int kMpolWeightedInterleave = 6;

// ---- Scheduling policy ----

// Name of a class as error texts show it, and its attributes but for nice.
struct WantedPolicy {
  std::string name;
  SchedAttr attr;
};

WantedPolicy RealTime(const char* name, uint32_t policy, uint32_t priority) {
  WantedPolicy wanted = {absl::StrCat(name, " ", priority)};
  wanted.attr.sched_policy = policy;
  wanted.attr.sched_priority = priority;
  return wanted;
}

WantedPolicy DeadlineOf(const v1::SchedPolicy::Deadline& deadline) {
  WantedPolicy wanted = {"SCHED_DEADLINE"};
  wanted.attr.sched_policy = kSchedDeadline;
  wanted.attr.sched_runtime = TimeUtil::DurationToNanoseconds(deadline.runtime());
  wanted.attr.sched_deadline = TimeUtil::DurationToNanoseconds(deadline.deadline());
  const uint64_t period = TimeUtil::DurationToNanoseconds(deadline.period());
  wanted.attr.sched_period = period == 0 ? wanted.attr.sched_deadline : period;
  return wanted;
}

WantedPolicy Fair(const char* name, uint32_t policy) {
  WantedPolicy wanted = {name};
  wanted.attr.sched_policy = policy;
  return wanted;
}

WantedPolicy WantedOf(const v1::SchedPolicy& policy, uint32_t max_rt_priority) {
  switch (policy.policy_case()) {
    case v1::SchedPolicy::kBatch:
      return Fair("SCHED_BATCH", SCHED_BATCH);
    case v1::SchedPolicy::kIdle:
      return Fair("SCHED_IDLE", SCHED_IDLE);
    case v1::SchedPolicy::kFifo:
      return RealTime("SCHED_FIFO", SCHED_FIFO, std::clamp(policy.fifo().priority(), 1u, max_rt_priority));
    case v1::SchedPolicy::kRoundRobin:
      return RealTime("SCHED_RR", SCHED_RR, std::clamp(policy.round_robin().priority(), 1u, max_rt_priority));
    case v1::SchedPolicy::kDeadline:
      return DeadlineOf(policy.deadline());
    case v1::SchedPolicy::kExt:
      return Fair("SCHED_EXT", kSchedExt);
    case v1::SchedPolicy::kNormal:
    case v1::SchedPolicy::POLICY_NOT_SET:
      break;
  }
  return {};
}

bool IsInForce(const SchedAttr& now, const SchedAttr& wanted) {
  return now.sched_policy == wanted.sched_policy && now.sched_priority == wanted.sched_priority &&
         (wanted.sched_policy != kSchedDeadline ||
          (now.sched_runtime == wanted.sched_runtime && now.sched_deadline == wanted.sched_deadline &&
           now.sched_period == wanted.sched_period));
}

absl::Status CheckLimit(const v1::SchedPolicy& policy, uint32_t max_rt_priority) {
  const uint32_t priority = std::max(policy.fifo().priority(), policy.round_robin().priority());
  if (priority <= max_rt_priority) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("priority ", priority, " is above the limit for workers; running at ", max_rt_priority));
}

// ---- Memory policy ----

struct WantedMemory {
  int mode = MPOL_DEFAULT;
  const char* name = "";
  std::string nodes;  // empty: none are passed
};

WantedMemory WantedOf(const v1::MemPolicy& policy) {
  switch (policy.policy_case()) {
    case v1::MemPolicy::kBind:
      return {MPOL_BIND, "MPOL_BIND", policy.bind().nodes()};
    case v1::MemPolicy::kPreferred:
      return {MPOL_PREFERRED, "MPOL_PREFERRED", absl::StrCat(policy.preferred().node())};
    case v1::MemPolicy::kInterleave:
      return {MPOL_INTERLEAVE, "MPOL_INTERLEAVE", policy.interleave().nodes()};
    case v1::MemPolicy::kLocal:
      return {MPOL_LOCAL, "MPOL_LOCAL", ""};
    case v1::MemPolicy::kPreferredMany:
      return {MPOL_PREFERRED_MANY, "MPOL_PREFERRED_MANY", policy.preferred_many().nodes()};
    case v1::MemPolicy::kWeightedInterleave:
      return {kMpolWeightedInterleave, "MPOL_WEIGHTED_INTERLEAVE", policy.weighted_interleave().nodes()};
    case v1::MemPolicy::kDefaultPolicy:
    case v1::MemPolicy::POLICY_NOT_SET:
      break;
  }
  return {};
}

int FlagBits(const v1::GroupSpec& group) {
  int bits = 0;
  for (const int flag : group.mpol_flags()) {
    if (flag == v1::STATIC_NODES) bits |= MPOL_F_STATIC_NODES;
    if (flag == v1::RELATIVE_NODES) bits |= MPOL_F_RELATIVE_NODES;
    if (flag == v1::NUMA_BALANCING) bits |= MPOL_F_NUMA_BALANCING;
  }
  return bits;
}

// ---- The other steps ----

absl::Status SetCpus(const SetupRequest& request) {
  return request.cpus == nullptr ? absl::OkStatus() : SetAffinity(0, *request.cpus);
}

absl::Status SetNice(const v1::GroupSpec& group) {
  if (!group.has_nice() || setpriority(PRIO_PROCESS, 0, group.nice()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("setpriority to nice ", group.nice()));
}

absl::Status SetComm(const v1::GroupSpec& group) {
  if (!group.has_comm() || prctl(PR_SET_NAME, group.comm().c_str()) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("prctl(PR_SET_NAME) to \"", group.comm(), "\""));
}

// glibc's wrappers would change every thread of the process.
absl::Status SetGid(const v1::GroupSpec& group) {
  const gid_t gid = group.gid();
  if (!group.has_gid() || syscall(SYS_setresgid, gid, gid, gid) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("setresgid to ", gid));
}

absl::Status SetUid(const v1::GroupSpec& group) {
  const uid_t uid = group.uid();
  if (!group.has_uid() || syscall(SYS_setresuid, uid, uid, uid) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("setresuid to ", uid));
}

absl::Status PinToNode(const SetupRequest& request) {
  if (!request.group->has_numa_node()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const CpuSet cpus, CpusOfNode(request.group->numa_node(), request.node_root));
  return SetAffinity(0, cpus);
}

// A change of credentials clears the death signal (prctl(2)); a parent that died in between would leave an orphan.
void ArmDeathSignal(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
}

}  // namespace

absl::Status SetSchedPolicy(const v1::SchedPolicy& policy, uint32_t max_rt_priority) {
  WantedPolicy wanted = WantedOf(policy, max_rt_priority);
  if (wanted.name.empty()) return absl::OkStatus();
  SchedAttr now;
  if (!GetSchedAttr(&now)) return ErrnoStatus(errno, "sched_getattr of the worker");
  // Setting a class also sets nice; it keeps the one it has until its own step.
  wanted.attr.sched_nice = getpriority(PRIO_PROCESS, 0);
  if (!IsInForce(now, wanted.attr) && !SetSchedAttr(wanted.attr)) {
    return ErrnoStatus(errno, absl::StrCat("sched_setattr to ", wanted.name));
  }
  return CheckLimit(policy, max_rt_priority);
}

absl::Status SetMemPolicy(const v1::GroupSpec& group) {
  const WantedMemory wanted = WantedOf(group.mem_policy());
  if (wanted.mode == MPOL_DEFAULT) return absl::OkStatus();
  ASSIGN_OR_RETURN(const CpuSet nodes, CpuSet::Parse(wanted.nodes));
  // The kernel takes one bit less than it is told.
  const unsigned long max_node = nodes.empty() ? 0 : nodes.Ids().back() + 2;
  const uint64_t* const mask = nodes.empty() ? nullptr : nodes.words().data();
  if (syscall(SYS_set_mempolicy, wanted.mode | FlagBits(group), mask, max_node) == 0) return absl::OkStatus();
  return ErrnoStatus(errno,
                     absl::StrCat("set_mempolicy to ", wanted.name, nodes.empty() ? "" : " of nodes ", wanted.nodes));
}

absl::StatusOr<CpuSet> CpusOfNode(uint32_t node, absl::string_view root) {
  const std::string path = absl::StrCat(root, "/node", node, "/cpulist");
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  ASSIGN_OR_RETURN(CpuSet cpus, CpuSet::Parse(text));
  if (cpus.empty()) return absl::FailedPreconditionError(absl::StrCat(path, " lists no CPU: the node has memory only"));
  return cpus;
}

void RunSetup(const SetupRequest& request, arena::ErrorText* errors) {
  const v1::GroupSpec& group = *request.group;
  const pid_t parent = getppid();
  const auto record = [errors](arena::SetupStep step, const absl::Status& status) {
    const absl::string_view text = status.message();
    arena::SetText(&errors[step], text);
  };
  record(arena::kSetAffinity, SetCpus(request));
  record(arena::kSetPolicy, SetSchedPolicy(group.sched_policy(), request.max_rt_priority));
  record(arena::kSetMemPolicy, SetMemPolicy(group));
  record(arena::kSetNice, SetNice(group));
  record(arena::kSetComm, SetComm(group));
  record(arena::kSetGid, SetGid(group));
  record(arena::kSetUid, SetUid(group));
  if (group.has_gid() || group.has_uid()) ArmDeathSignal(parent);
  record(arena::kSetNode, PinToNode(request));
}

}  // namespace muster
