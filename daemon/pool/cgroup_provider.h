// What a pool needs of the instance's cgroups.
#ifndef MUSTER_DAEMON_POOL_CGROUP_PROVIDER_H_
#define MUSTER_DAEMON_POOL_CGROUP_PROVIDER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cpu_set.h"
#include "base/deadline.h"
#include "base/unique_fd.h"
#include "muster/v1/workload.pb.h"

namespace muster {

// A cgroup as the pool host gets it.
struct PoolCgroup {
  // Relative to the workload root.
  std::string name;
  v1::CgroupKind kind = v1::DOMAIN;
  // Its directory.
  UniqueFd dir;
  // For THREADED: the nearest ancestor that is a domain, where processes are born before their threads are moved;
  // otherwise the cgroup itself.
  std::string domain_name;
  UniqueFd domain_dir;
};

// Name of a pool's own cgroup: begins with a dot, which no user's name does.
inline std::string OwnCgroupName(const std::string& pool_id) { return ".pool-" + pool_id; }

// Names are relative to the instance's workload root; "" is the root itself. Thread-safe; outlives all pools.
// NOT_FOUND: no such cgroup.
class CgroupProvider {
 public:
  virtual ~CgroupProvider() = default;

  // Whether a cgroup could be made like this, without making it. INVALID_ARGUMENT names the field below `field`;
  // FAILED_PRECONDITION: a controller is missing.
  virtual absl::Status Validate(const v1::CgroupSpec& spec, const std::string& field) = 0;

  // CPUs that a task there may use: cpuset.cpus.effective, or every online CPU where there is no cpuset controller.
  virtual absl::StatusOr<CpuSet> EffectiveCpus(const std::string& name) = 0;

  // Makes the cgroup OwnCgroupName(pool_id), a domain without settings. A call that fails may leave it behind: remove
  // it.
  virtual absl::StatusOr<PoolCgroup> CreateOwn(const std::string& pool_id) = 0;
  // Makes one that a spec asks for and that is the pool's alone; ALREADY_EXISTS when it is there, or another's stands
  // below it.
  virtual absl::Status Create(const v1::CgroupSpec& spec, const std::string& pool_id) = 0;
  virtual absl::StatusOr<PoolCgroup> Open(const std::string& name) = 0;

  // SIGKILL to everything there and below; returns how many processes it hit.
  virtual absl::StatusOr<int> Kill(const std::string& name) = 0;
  // Thaws, kills, waits until nothing lives there, removes with all below it.
  virtual absl::Status Remove(const std::string& name, Deadline deadline) = 0;

  // Tells it from all others that have had, have or will have its name.
  virtual absl::StatusOr<uint64_t> Identify(const std::string& name) = 0;

  // Processes there and below that the kernel's out-of-memory killer has ended so far: memory.events. UNAVAILABLE: no
  // memory controller.
  virtual absl::StatusOr<uint64_t> OomKills(const std::string& name) = 0;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_CGROUP_PROVIDER_H_
