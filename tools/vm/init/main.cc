// Init of a guest: makes the machine, starts musterd, reaps strangers, and switches the machine off when musterd has
// ended or when the console says "poweroff". Loads the image's scheduler before musterd.
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.h"
#include "tools/vm/init/daemon.h"
#include "tools/vm/init/machine.h"
#include "tools/vm/init/options.h"
#include "tools/vm/init/relay.h"
#include "tools/vm/init/report.h"
#include "tools/vm/init/scheduler.h"

namespace muster::guest {
namespace {

constexpr char kDaemonSocket[] = "/run/musterd.sock";

// Above every worker, as all of control is; the relay inherits it.
void RaisePriority() {
  const sched_param parameters = {sched_get_priority_max(SCHED_FIFO)};
  if (sched_setscheduler(0, SCHED_FIFO, &parameters) != 0) Warn("raise the priority of init");
}

UniqueFd BlockChildSignal() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  return UniqueFd(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}

// Reaps all that has ended; true when the daemon is among it.
bool Reap(pid_t daemon) {
  bool daemon_ended = false;
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid != daemon) continue;
    daemon_ended = true;
    const bool exited = WIFEXITED(status);
    Stage(std::string("daemon-ended ") + (exited ? "exit=" : "signal=") +
          std::to_string(exited ? WEXITSTATUS(status) : WTERMSIG(status)));
  }
  return daemon_ended;
}

// What the console asks for: "poweroff", "scheduler". A console that has gone would be readable for ever: then
// `*console` becomes -1, which poll(2) passes over.
std::string ReadRequest(int* console) {
  char line[256];
  const ssize_t got = read(*console, line, sizeof(line));
  if (got <= 0) *console = -1;
  return std::string(line, got > 0 ? got : 0);
}

bool Asks(const std::string& request, const char* what) { return request.find(what) != std::string::npos; }

// True when musterd has said that it serves. Either way there will be no more news from there.
bool SaidReady(UniqueFd* ready) {
  char line[4096];
  const bool said = read(ready->get(), line, sizeof(line)) > 0;
  ready->Reset();
  return said;
}

[[noreturn]] void Run(const Options& options, Scheduler& scheduler) {
  const UniqueFd signals = BlockChildSignal();
  if (options.relay_port != 0) StartRelay(options.relay_port, kDaemonSocket);
  Daemon daemon = StartDaemon(options.daemon_arguments);
  Stage("daemon-started");
  int console = STDIN_FILENO;
  while (true) {
    pollfd waits[] = {{signals.get(), POLLIN, 0},
                      {daemon.ready.get(), POLLIN, 0},
                      {console, POLLIN, 0},
                      {scheduler.log(), POLLIN, 0}};
    if (poll(waits, 4, -1) < 0) continue;
    signalfd_siginfo info;
    while (read(signals.get(), &info, sizeof(info)) > 0) {
    }
    const std::string request = waits[2].revents != 0 ? ReadRequest(&console) : "";
    if (Asks(request, "poweroff")) PowerOff();
    if (waits[3].revents != 0) scheduler.ReadLog();
    if (Asks(request, "scheduler")) scheduler.Sample();
    if (waits[1].revents != 0 && SaidReady(&daemon.ready)) Stage("daemon-ready");
    if (Reap(daemon.pid) || daemon.pid < 0) PowerOff();
  }
}

}  // namespace
}  // namespace muster::guest

int main(int argc, char** argv) {
  using namespace muster::guest;
  const Options options = ParseOptions({argv + 1, argv + argc});
  MountFileSystems();
  Stage("up");
  for (const std::string& unknown : options.unknown)
    dprintf(STDERR_FILENO, "muster-init: unknown option %s\n", unknown.c_str());
  InsertModules();
  ConfigureNetwork();
  RaiseLimits();
  DealCpuTimeFinely();
  RaisePriority();
  Stage("machine-ready");
  Scheduler scheduler;
  // Before musterd, whose every task shall be under it.
  if (!scheduler.Load()) PowerOff();
  Run(options, scheduler);
}
