// Init of a guest: pid 1 as musterd itself can be (daemon/init), and with it what only a guest of ours needs: a card of
// QEMU's network, a relay to musterd, and the image's scheduler, which is loaded before musterd.
#include <stdio.h>
#include <unistd.h>

#include <string>

#include "daemon/init/machine.h"
#include "daemon/init/supervisor.h"
#include "tools/vm/init/network.h"
#include "tools/vm/init/options.h"
#include "tools/vm/init/relay.h"
#include "tools/vm/init/scheduler.h"

namespace muster::guest {
namespace {

constexpr char kDaemon[] = "/bin/musterd";
constexpr char kDaemonSocket[] = "/run/musterd.sock";

init::SupervisorOptions DaemonOf(const Options& options) {
  init::SupervisorOptions daemon;
  daemon.program = kDaemon;
  daemon.arguments = {kDaemon, "--worker-binary=/bin/muster-worker"};
  daemon.arguments.insert(daemon.arguments.end(), options.daemon_arguments.begin(), options.daemon_arguments.end());
  daemon.console = STDIN_FILENO;
  return daemon;
}

void Run(const Options& options) {
  for (const std::string& unknown : options.unknown)
    dprintf(STDERR_FILENO, "muster-init: unknown option %s\n", unknown.c_str());
  ConfigureCard();
  Scheduler scheduler;
  // Before musterd, whose every task shall be under it.
  if (!scheduler.Load()) return;
  if (options.relay_port != 0) StartRelay(options.relay_port, kDaemonSocket);
  init::SupervisorOptions daemon = DaemonOf(options);
  daemon.companion = &scheduler;
  init::Supervise(daemon);
}

}  // namespace
}  // namespace muster::guest

int main(int argc, char** argv) {
  if (!muster::init::TakeMachine()) {
    dprintf(STDERR_FILENO, "muster-guest-init is pid 1 of a guest, and of use for nothing else\n");
    return 64;
  }
  muster::init::MakeMachine();
  muster::guest::Run(muster::guest::ParseOptions({argv + 1, argv + argc}));
  muster::init::PowerOff();
}
