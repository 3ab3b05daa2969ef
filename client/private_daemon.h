// A daemon of one's own, for as long as one needs it.
#ifndef MUSTER_CLIENT_PRIVATE_DAEMON_H_
#define MUSTER_CLIENT_PRIVATE_DAEMON_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/spawn_process.h"

namespace muster {

struct PrivateDaemonOptions {
  // Path of musterd.
  std::string musterd;
  // Path of muster-worker, or of another worker binary with functions of the user's own.
  std::string worker_binary;
  // Further flags of musterd, as "--allow-exec".
  std::vector<std::string> flags;
  // Where it writes its log, an open descriptor of the caller's; -1: our standard error stream.
  int log_fd = -1;
  // Until it serves.
  absl::Duration start_timeout = absl::Seconds(20);
};

// Owns a musterd process on this machine, an instance of its own beside any resident one, with a socket in the
// temporary directory. The destructor ends and reaps it (SIGTERM, after forty seconds SIGKILL), and logs a bad end.
// When this process dies in any way, the daemon ends by itself, and nothing is left. Move-only.
class PrivateDaemon {
 public:
  // Returns when the daemon serves. Needs root, as musterd does.
  static absl::StatusOr<PrivateDaemon> Start(const PrivateDaemonOptions& options);

  PrivateDaemon(PrivateDaemon&& other) noexcept;
  PrivateDaemon& operator=(PrivateDaemon&&) = delete;
  ~PrivateDaemon();

  // To connect to.
  const std::string& address() const { return address_; }

  // -1: it has been stopped.
  pid_t pid() const { return process_.pid; }

  // Ends the daemon now. An error tells how it ended when that was not well.
  absl::Status Stop();

 private:
  PrivateDaemon() = default;

  absl::Status Launch(const PrivateDaemonOptions& options);
  // Reads the line that the daemon writes when it serves.
  absl::Status AwaitReady(int ready_fd, const Deadline& deadline);

  // The socket file; one that was killed leaves it.
  std::string socket_;
  std::string address_;
  // pid -1: not running.
  SpawnedProcess process_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_PRIVATE_DAEMON_H_
