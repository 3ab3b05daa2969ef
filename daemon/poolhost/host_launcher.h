// Making pool hosts.
#ifndef MUSTER_DAEMON_POOLHOST_HOST_LAUNCHER_H_
#define MUSTER_DAEMON_POOLHOST_HOST_LAUNCHER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "daemon/poolhost/host_process.h"
#include "worker/control/channel.h"

namespace muster {

// A pool host that has just been started: its process, and our end of the channel to it.
struct LaunchedHost {
  std::unique_ptr<HostProcess> process;
  control::Channel channel;
};

// Thread-safe; outlives what it launched.
class HostLauncher {
 public:
  virtual ~HostLauncher() = default;
  virtual absl::StatusOr<LaunchedHost> Launch() = 0;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_HOST_LAUNCHER_H_
