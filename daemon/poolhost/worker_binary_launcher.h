// Pool hosts that are processes of the worker binary.
#ifndef MUSTER_DAEMON_POOLHOST_WORKER_BINARY_LAUNCHER_H_
#define MUSTER_DAEMON_POOLHOST_WORKER_BINARY_LAUNCHER_H_

#include <string>
#include <utility>

#include "daemon/poolhost/host_launcher.h"
#include "daemon/poolhost/stray_reaper.h"

namespace muster {

// Starts `worker_binary --pool-host --control-fd 3` with the channel as its only descriptor besides the standard streams.
class WorkerBinaryLauncher : public HostLauncher {
 public:
  // `reaper` outlives this object and all that it launched.
  WorkerBinaryLauncher(std::string worker_binary, StrayReaper* reaper)
      : worker_binary_(std::move(worker_binary)), reaper_(reaper) {}

  absl::StatusOr<LaunchedHost> Launch() override;

 private:
  const std::string worker_binary_;
  StrayReaper* const reaper_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_WORKER_BINARY_LAUNCHER_H_
