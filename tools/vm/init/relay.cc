#include "tools/vm/init/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "daemon/init/report.h"

namespace muster::guest {
namespace {

constexpr char kAddress[] = "10.0.2.15";
constexpr int kBacklog = 128;

UniqueFd ListenOn(uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, kAddress, &address.sin_addr);
  const bool listens = fd.valid() && bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                       listen(fd.get(), kBacklog) == 0;
  if (listens) return fd;
  init::Warn("listen for the relay");
  return UniqueFd();
}

UniqueFd ConnectTo(const char* path) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fd.Reset();
  return fd;
}

// One process per direction, so that a reader that is slow in one never holds up the other.
[[noreturn]] void Carry(UniqueFd outside, const char* path) {
  const int now = 1;
  setsockopt(outside.get(), IPPROTO_TCP, TCP_NODELAY, &now, sizeof(now));
  const UniqueFd inside = ConnectTo(path);
  if (!inside.valid()) _exit(0);
  if (fork() == 0) {
    CopyStream(outside.get(), inside.get());
  } else {
    CopyStream(inside.get(), outside.get());
  }
  _exit(0);
}

[[noreturn]] void Serve(const UniqueFd& listener, const char* path) {
  // The kernel reaps the children.
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  while (true) {
    UniqueFd outside(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (outside.valid() && fork() == 0) Carry(std::move(outside), path);
  }
}

}  // namespace

void CopyStream(int from, int to) {
  char buffer[65536];
  while (true) {
    const ssize_t got = read(from, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) {
      shutdown(to, SHUT_WR);
      return;
    }
    for (ssize_t done = 0; got > 0 && done < got;) {
      const ssize_t sent = write(to, buffer + done, got - done);
      if (sent < 0 && errno != EINTR) {
        // Nobody reads any more: whoever copies the other way must end too.
        shutdown(from, SHUT_RDWR);
        return;
      }
      if (sent > 0) done += sent;
    }
    if (got < 0) {
      shutdown(to, SHUT_RDWR);
      return;
    }
  }
}

pid_t StartRelay(uint16_t port, const char* path) {
  const UniqueFd listener = ListenOn(port);
  if (!listener.valid()) return -1;
  const pid_t pid = fork();
  if (pid == 0) Serve(listener, path);
  if (pid < 0) init::Warn("start the relay");
  return pid;
}

}  // namespace muster::guest
