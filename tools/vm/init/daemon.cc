#include "tools/vm/init/daemon.h"

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/vm/init/report.h"

namespace muster::guest {
namespace {

constexpr char kDaemon[] = "/bin/musterd";
// Abstract: the first byte of the path is NUL, written '@' in the environment.
constexpr char kNotifyName[] = "muster-init";

}  // namespace

UniqueFd OpenNotifySocket() {
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path + 1, kNotifyName, strlen(kNotifyName));
  const socklen_t size = offsetof(sockaddr_un, sun_path) + 1 + strlen(kNotifyName);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) Warn("bind the notify socket");
  return fd;
}

pid_t StartDaemon(const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>(kDaemon)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const std::string notify = std::string("NOTIFY_SOCKET=@") + kNotifyName;
  char path[] = "PATH=/bin";
  char* environment[] = {path, const_cast<char*>(notify.c_str()), nullptr};
  const pid_t pid = fork();
  if (pid != 0) return pid;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // musterd chooses its own priority; it shall not have init's.
  const sched_param ordinary = {0};
  sched_setscheduler(0, SCHED_OTHER, &ordinary);
  setsid();
  execve(kDaemon, argv.data(), environment);
  Warn(std::string("run ") + kDaemon);
  _exit(127);
}

bool ReadReady(int notify_socket) {
  char message[4096];
  const ssize_t got = recv(notify_socket, message, sizeof(message), 0);
  if (got <= 0) return false;
  // Newline-separated assignments.
  const std::string lines = "\n" + std::string(message, got) + "\n";
  return lines.find("\nREADY=1\n") != std::string::npos;
}

}  // namespace muster::guest
