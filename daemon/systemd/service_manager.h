// What the service manager that started the daemon said, and telling it how the daemon is: sd_notify(3) and
// sd_listen_fds(3), without their library.
#ifndef MUSTER_DAEMON_SYSTEMD_SERVICE_MANAGER_H_
#define MUSTER_DAEMON_SYSTEMD_SERVICE_MANAGER_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace muster {

// A listening socket that the service manager made.
struct InheritedSocket {
  UniqueFd fd;
  // FileDescriptorName= of its unit; "unknown" when it has none.
  std::string name;
};

// Owns the sockets until they are taken; the destructor closes the rest. Notify is thread-safe.
class ServiceManager {
 public:
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, and removes them, so
  // that no child takes them for its own: call it while the process has one thread. Without a service manager the
  // object is empty. INVALID_ARGUMENT names a variable that cannot be understood.
  static absl::StatusOr<ServiceManager> FromEnvironment();

  // Sends one line, as "READY=1". Nobody to tell: succeeds.
  absl::Status Notify(absl::string_view state) const;

  // How often it wants to hear WATCHDOG=1 at least; absent: it does not.
  std::optional<absl::Duration> watchdog() const { return watchdog_; }

  // Gives the sockets away.
  std::vector<InheritedSocket> TakeSockets() { return std::exchange(sockets_, {}); }

 private:
  ServiceManager() = default;

  // As of NOTIFY_SOCKET; empty: nobody.
  std::string notify_socket_;
  std::optional<absl::Duration> watchdog_;
  std::vector<InheritedSocket> sockets_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_SYSTEMD_SERVICE_MANAGER_H_
