// A pool host that is a child of this process.
#ifndef MUSTER_DAEMON_POOLHOST_OWNED_HOST_PROCESS_H_
#define MUSTER_DAEMON_POOLHOST_OWNED_HOST_PROCESS_H_

#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/spawn_process.h"
#include "daemon/poolhost/host_process.h"
#include "daemon/poolhost/stray_reaper.h"

namespace muster {

// Kills and reaps the process, within a second, when it is destroyed without having been reaped.
class OwnedHostProcess : public HostProcess {
 public:
  // `child` comes from `reaper`, which outlives this object.
  OwnedHostProcess(SpawnedProcess child, StrayReaper* reaper) : child_(std::move(child)), reaper_(reaper) {}
  ~OwnedHostProcess() override;

  pid_t pid() const override { return child_.pid; }
  int death_fd() const override { return child_.pidfd.fd(); }
  absl::Status Kill() override;
  absl::StatusOr<ProcessEnd> Reap(Deadline deadline) override;
  uint64_t CpuTimeNs() override;
  absl::StatusOr<UniqueFd> CopyDescriptor(int fd) override;

 private:
  void ReadCpuTime() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SpawnedProcess child_;
  StrayReaper* const reaper_;
  Mutex mutex_;
  std::optional<ProcessEnd> end_ ABSL_GUARDED_BY(mutex_);
  uint64_t cpu_time_ns_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_OWNED_HOST_PROCESS_H_
