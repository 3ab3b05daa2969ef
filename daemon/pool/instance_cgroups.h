// The cgroups of pools, made through the instance's manager.
#ifndef MUSTER_DAEMON_POOL_INSTANCE_CGROUPS_H_
#define MUSTER_DAEMON_POOL_INSTANCE_CGROUPS_H_

#include <string>

#include "base/cgroup_dir.h"
#include "daemon/cgroup/cgroup_manager.h"
#include "daemon/pool/cgroup_provider.h"

namespace muster {

// Owns nothing; the manager and the workload root outlive it. Thread-safe.
class InstanceCgroups final : public CgroupProvider {
 public:
  // How long making a cgroup may take.
  static constexpr absl::Duration kCreateTimeout = absl::Seconds(5);

  InstanceCgroups(CgroupManager* manager, const CgroupDir* workload) : manager_(manager), workload_(workload) {}

  absl::Status Validate(const v1::CgroupSpec& spec, const std::string& field) override {
    return manager_->Validate(spec, field);
  }
  absl::StatusOr<CpuSet> EffectiveCpus(const std::string& name) override;
  absl::StatusOr<PoolCgroup> CreateOwn(const std::string& pool_id) override;
  absl::Status Create(const v1::CgroupSpec& spec, const std::string& pool_id) override;
  absl::StatusOr<PoolCgroup> Open(const std::string& name) override;
  absl::StatusOr<int> Kill(const std::string& name) override;
  absl::Status Remove(const std::string& name, Deadline deadline) override;
  absl::StatusOr<uint64_t> Identify(const std::string& name) override;
  absl::StatusOr<uint64_t> OomKills(const std::string& name) override;

 private:
  absl::StatusOr<CgroupDir> OpenDir(const std::string& name) const;
  absl::Status FillDomain(const CgroupPath& path, PoolCgroup* cgroup) const;

  CgroupManager* const manager_;
  const CgroupDir* const workload_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_INSTANCE_CGROUPS_H_
