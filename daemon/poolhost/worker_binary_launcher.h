// Pool hosts that are processes of the worker binary.
#ifndef MUSTER_DAEMON_POOLHOST_WORKER_BINARY_LAUNCHER_H_
#define MUSTER_DAEMON_POOLHOST_WORKER_BINARY_LAUNCHER_H_

#include <string>
#include <utility>
#include <vector>

#include "daemon/poolhost/host_launcher.h"
#include "daemon/poolhost/stray_reaper.h"

namespace muster {

// What I/O work may touch.
struct WorkerIo {
  std::string directory;       // for its files; empty: /tmp
  bool block_devices = false;  // those that a spec names
};

// Environment of a pool host, which its workers inherit: `inherited`, in which only `io` decides about I/O.
std::vector<std::string> WorkerEnvironment(const WorkerIo& io, std::vector<std::string> inherited);

// Starts `worker_binary --pool-host --control-fd 3` with the channel as its only descriptor besides the standard
// streams.
class WorkerBinaryLauncher : public HostLauncher {
 public:
  // `reaper` outlives this object and all that it launched.
  WorkerBinaryLauncher(std::string worker_binary, StrayReaper* reaper, WorkerIo io = {})
      : worker_binary_(std::move(worker_binary)), reaper_(reaper), io_(std::move(io)) {}

  absl::StatusOr<LaunchedHost> Launch() override;

 private:
  const std::string worker_binary_;
  StrayReaper* const reaper_;
  const WorkerIo io_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_WORKER_BINARY_LAUNCHER_H_
