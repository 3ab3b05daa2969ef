#include "tools/vm/init/daemon.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "tools/vm/init/report.h"

namespace muster::guest {
namespace {

constexpr char kDaemon[] = "/bin/musterd";
constexpr int kReadyFd = 3;

[[noreturn]] void BecomeDaemon(const std::vector<std::string>& arguments, int ready) {
  std::vector<char*> argv = {const_cast<char*>(kDaemon), const_cast<char*>("--ready-fd=3"),
                             const_cast<char*>("--worker-binary=/bin/muster-worker")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  char path[] = "PATH=/bin";
  char* environment[] = {path, nullptr};
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // musterd chooses its own priority; it shall not have init's.
  const sched_param ordinary = {0};
  sched_setscheduler(0, SCHED_OTHER, &ordinary);
  setsid();
  // dup2 onto itself would keep close-on-exec.
  if (ready == kReadyFd) fcntl(ready, F_SETFD, 0);
  if (ready != kReadyFd) dup2(ready, kReadyFd);
  execve(kDaemon, argv.data(), environment);
  Warn(std::string("run ") + kDaemon);
  _exit(127);
}

}  // namespace

Daemon StartDaemon(const std::vector<std::string>& arguments) {
  Daemon daemon;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    Warn("make a pipe for musterd");
    return daemon;
  }
  daemon.ready.Reset(ends[0]);
  const UniqueFd writer(ends[1]);
  daemon.pid = fork();
  if (daemon.pid == 0) BecomeDaemon(arguments, writer.get());
  if (daemon.pid < 0) Warn("start musterd");
  return daemon;
}

}  // namespace muster::guest
