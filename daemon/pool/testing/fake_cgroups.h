// Cgroups that are only names, for tests.
#ifndef MUSTER_DAEMON_POOL_TESTING_FAKE_CGROUPS_H_
#define MUSTER_DAEMON_POOL_TESTING_FAKE_CGROUPS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "daemon/pool/cgroup_provider.h"

namespace muster {

// Thread-safe.
class FakeCgroups : public CgroupProvider {
 public:
  // There already.
  void Add(const std::string& name, const std::string& cpus, v1::CgroupKind kind = v1::DOMAIN);
  void SetOomKills(const std::string& name, uint64_t kills);
  // Called before each Open, with no lock held.
  void OnOpen(std::function<void()> hook);
  // The next removal of it fails.
  void FailRemoval(const std::string& name, absl::Status error);

  // What pools have made and not removed.
  std::vector<std::string> Left();
  // How many they have made so far.
  uint64_t made();
  std::vector<std::string> Killed();

  absl::Status Validate(const v1::CgroupSpec& spec, const std::string& field) override;
  absl::StatusOr<CpuSet> EffectiveCpus(const std::string& name) override;
  absl::StatusOr<PoolCgroup> CreateOwn(const std::string& pool_id) override;
  absl::Status Create(const v1::CgroupSpec& spec, const std::string& pool_id) override;
  absl::StatusOr<PoolCgroup> Open(const std::string& name) override;
  absl::StatusOr<int> Kill(const std::string& name) override;
  absl::Status Remove(const std::string& name, Deadline deadline) override;
  absl::StatusOr<uint64_t> Identify(const std::string& name) override;
  absl::StatusOr<uint64_t> OomKills(const std::string& name) override;

 private:
  struct Cgroup {
    CpuSet cpus;
    v1::CgroupKind kind = v1::DOMAIN;
    bool made = false;
    bool has_memory = false;
    uint64_t oom_kills = 0;
    uint64_t identity = 0;
  };

  Mutex mutex_;
  std::map<std::string, Cgroup> cgroups_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_identity_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, absl::Status> removal_errors_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> killed_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOL_TESTING_FAKE_CGROUPS_H_
