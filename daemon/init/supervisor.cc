#include "daemon/init/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "base/unique_fd.h"
#include "daemon/init/report.h"

namespace muster::init {
namespace {

// sysexits(3).
constexpr int kNotStarted = 71;

struct Child {
  // -1: it could not be started.
  pid_t pid = -1;
  // Readable when it has said that it serves, at its end of file when it never will.
  UniqueFd ready;
  bool asked_to_end = false;
};

// How others ask an init for the end of the machine: containers and people, ctrl-alt-del, LXC, BusyBox, systemd-nspawn,
// systemd.
std::vector<int> EndSignals() { return {SIGTERM, SIGINT, SIGPWR, SIGUSR2, SIGRTMIN + 3, SIGRTMIN + 4}; }

UniqueFd BlockSignals() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGCHLD);
  for (const int end : EndSignals()) sigaddset(&ours, end);
  sigprocmask(SIG_BLOCK, &ours, nullptr);
  UniqueFd fd(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) Warn("signalfd");
  return fd;
}

[[noreturn]] void BecomeDaemon(const SupervisorOptions& options, int ready) {
  std::vector<std::string> arguments = options.arguments;
  arguments.push_back("--ready-fd=" + std::to_string(ready));
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // musterd chooses its own priority; it shall not have init's.
  const sched_param ordinary = {0};
  sched_setscheduler(0, SCHED_OTHER, &ordinary);
  setsid();
  fcntl(ready, F_SETFD, 0);
  execv(options.program.c_str(), argv.data());
  Warn("run " + options.program);
  _exit(127);
}

Child Start(const SupervisorOptions& options) {
  Child child;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    Warn("make a pipe for musterd");
    return child;
  }
  child.ready.Reset(ends[0]);
  const UniqueFd writer(ends[1]);
  child.pid = fork();
  if (child.pid == 0) BecomeDaemon(options, writer.get());
  if (child.pid < 0) Warn("start musterd");
  return child;
}

int TellEnd(int status) {
  const bool exited = WIFEXITED(status);
  const int number = exited ? WEXITSTATUS(status) : WTERMSIG(status);
  Stage(std::string("daemon-ended ") + (exited ? "exit=" : "signal=") + std::to_string(number));
  return exited ? number : 128 + number;
}

// Reaps all that has ended; what Supervise returns when the daemon is among it.
std::optional<int> Reap(pid_t daemon) {
  std::optional<int> end;
  int status = 0;
  for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
    if (pid == daemon) end = TellEnd(status);
  }
  return end;
}

// The daemon is not reaped yet, so that its pid is its own.
void AskToEnd(const std::string& who, Child* child) {
  Stage("end-asked by " + who);
  kill(child->pid, child->asked_to_end ? SIGKILL : SIGTERM);
  child->asked_to_end = true;
}

void ReadSignals(const UniqueFd& signals, Child* child) {
  signalfd_siginfo info;
  while (read(signals.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGCHLD) continue;
    AskToEnd("signal=" + std::to_string(info.ssi_signo) + " pid=" + std::to_string(info.ssi_pid), child);
  }
}

// A console that has gone would be readable for ever: then `*console` becomes -1, which poll(2) passes over.
std::string ReadRequest(int* console) {
  char line[256];
  const ssize_t got = read(*console, line, sizeof(line));
  if (got <= 0) *console = -1;
  return std::string(line, got > 0 ? got : 0);
}

// There will be no more news from there.
void ReadReady(Child* child) {
  char line[4096];
  const bool said = read(child->ready.get(), line, sizeof(line)) > 0;
  child->ready.Reset();
  if (said) Stage("daemon-ready");
}

}  // namespace

int Supervise(const SupervisorOptions& options) {
  const UniqueFd signals = BlockSignals();
  Child child = Start(options);
  if (child.pid < 0) return kNotStarted;
  Stage("daemon-started");
  int console = options.console;
  while (true) {
    // Before the first wait too: who ended before this process was told of its children is reaped as well.
    const std::optional<int> end = Reap(child.pid);
    if (end.has_value()) return *end;
    pollfd waits[] = {{signals.get(), POLLIN, 0},
                      {child.ready.get(), POLLIN, 0},
                      {console, POLLIN, 0},
                      {options.companion != nullptr ? options.companion->fd() : -1, POLLIN, 0}};
    if (poll(waits, 4, -1) < 0) continue;
    if (waits[1].revents != 0) ReadReady(&child);
    if (waits[0].revents != 0) ReadSignals(signals, &child);
    if (waits[3].revents != 0) options.companion->OnReadable();
    if (waits[2].revents == 0) continue;
    const std::string request = ReadRequest(&console);
    if (request.find("poweroff") != std::string::npos) AskToEnd("the console", &child);
    if (options.companion != nullptr) options.companion->OnRequest(request);
  }
}

}  // namespace muster::init
