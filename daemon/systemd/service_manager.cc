#include "daemon/systemd/service_manager.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errno_status.h"
#include "base/status_macros.h"

namespace muster {
namespace {

// The first descriptor that is handed down (sd_listen_fds(3)).
constexpr int kFirstFd = 3;
constexpr int64_t kMaxFds = 256;

// The variable's value, which is then gone; empty: it was not set.
std::string Take(const char* name) {
  const char* const value = getenv(name);
  std::string taken = value == nullptr ? "" : value;
  unsetenv(name);
  return taken;
}

absl::Status Wrong(absl::string_view name, absl::string_view value, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, "=", value, " in the environment is not ", what));
}

absl::StatusOr<int64_t> Number(absl::string_view name, absl::string_view value, int64_t max) {
  int64_t number = 0;
  if (absl::SimpleAtoi(value, &number) && number >= 0 && number <= max) return number;
  return Wrong(name, value, absl::StrCat("a number from 0 to ", max));
}

// The variables are left in place by programs that start others without knowing of them.
absl::StatusOr<bool> IsForUs(absl::string_view name, const std::string& pid) {
  if (pid.empty()) return true;
  ASSIGN_OR_RETURN(const int64_t meant, Number(name, pid, 1 << 30));
  return meant == getpid();
}

absl::StatusOr<std::optional<absl::Duration>> TakeWatchdog() {
  const std::string period = Take("WATCHDOG_USEC");
  const std::string pid = Take("WATCHDOG_PID");
  ASSIGN_OR_RETURN(const bool for_us, IsForUs("WATCHDOG_PID", pid));
  if (period.empty() || !for_us) return std::optional<absl::Duration>();
  ASSIGN_OR_RETURN(const int64_t microseconds, Number("WATCHDOG_USEC", period, int64_t{1} << 60));
  if (microseconds == 0) return Wrong("WATCHDOG_USEC", period, "a time");
  return std::make_optional(absl::Microseconds(microseconds));
}

absl::StatusOr<std::vector<InheritedSocket>> TakeInherited() {
  const std::string count_text = Take("LISTEN_FDS");
  const std::string pid = Take("LISTEN_PID");
  const std::string names_text = Take("LISTEN_FDNAMES");
  std::vector<InheritedSocket> sockets;
  ASSIGN_OR_RETURN(const bool for_us, IsForUs("LISTEN_PID", pid));
  // Without a process id they may be anybody's.
  if (count_text.empty() || pid.empty() || !for_us) return sockets;
  ASSIGN_OR_RETURN(const int64_t count, Number("LISTEN_FDS", count_text, kMaxFds));
  std::vector<std::string> names;
  if (!names_text.empty()) names = absl::StrSplit(names_text, ':');
  for (int i = 0; i < count; ++i) {
    const int fd = kFirstFd + i;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return ErrnoStatus(errno, absl::StrCat("descriptor ", fd, " that LISTEN_FDS=", count, " speaks of"));
    }
    const bool has_name = static_cast<size_t>(i) < names.size() && !names[i].empty();
    sockets.push_back({UniqueFd(fd), has_name ? names[i] : "unknown"});
  }
  return sockets;
}

}  // namespace

absl::StatusOr<ServiceManager> ServiceManager::FromEnvironment() {
  ServiceManager manager;
  manager.notify_socket_ = Take("NOTIFY_SOCKET");
  ASSIGN_OR_RETURN(manager.watchdog_, TakeWatchdog());
  ASSIGN_OR_RETURN(manager.sockets_, TakeInherited());
  const std::string& path = manager.notify_socket_;
  const bool usable =
      path.empty() || ((path[0] == '/' || path[0] == '@') && path.size() < sizeof(sockaddr_un::sun_path));
  if (!usable) return Wrong("NOTIFY_SOCKET", path, "the path of a socket");
  return manager;
}

absl::Status ServiceManager::Notify(absl::string_view state) const {
  if (notify_socket_.empty()) return absl::OkStatus();
  const UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "make a socket to the service manager");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  notify_socket_.copy(address.sun_path, sizeof(address.sun_path) - 1);
  // An abstract name starts with a NUL, and is as long as it is.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + notify_socket_.size());
  const ssize_t sent =
      sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  if (sent == static_cast<ssize_t>(state.size())) return absl::OkStatus();
  return ErrnoStatus(errno, absl::StrCat("tell the service manager at ", notify_socket_, " ", state));
}

}  // namespace muster
