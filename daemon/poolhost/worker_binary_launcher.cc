#include "daemon/poolhost/worker_binary_launcher.h"

#include <memory>

#include "base/status_macros.h"
#include "daemon/poolhost/owned_host_process.h"

namespace muster {
namespace {

constexpr int kControlFd = 3;

}  // namespace

absl::StatusOr<LaunchedHost> WorkerBinaryLauncher::Launch() {
  ASSIGN_OR_RETURN(auto ends, control::Channel::MakePair());
  SpawnOptions options;
  options.program = worker_binary_;
  options.arguments = {"muster-worker", "--pool-host", "--control-fd", std::to_string(kControlFd)};
  options.descriptors = {{kControlFd, ends.second.get()}};
  options.new_session = true;
  ASSIGN_OR_RETURN(SpawnedProcess child, reaper_->Spawn(options));
  LaunchedHost host;
  host.process = std::make_unique<OwnedHostProcess>(std::move(child), reaper_);
  host.channel = std::move(ends.first);
  return host;
}

}  // namespace muster
