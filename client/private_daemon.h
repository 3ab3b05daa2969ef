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
  // Until it serves.
  absl::Duration start_timeout = absl::Seconds(20);
};

// Owns a musterd process on this machine, an instance of its own beside any resident one, and a directory with its
// socket. The destructor ends and reaps it (SIGTERM, after ten seconds SIGKILL), removes the directory, and logs a bad
// end. When this process dies, the daemon ends by itself; it does so too when the thread that called Start ends, so
// start it from a thread that stays. Its log goes to our standard error stream. Move-only.
class PrivateDaemon {
 public:
  // Returns when the daemon serves. Needs root, as musterd does.
  static absl::StatusOr<PrivateDaemon> Start(const PrivateDaemonOptions& options);

  PrivateDaemon(PrivateDaemon&& other) noexcept;
  PrivateDaemon& operator=(PrivateDaemon&&) = delete;
  ~PrivateDaemon();

  // To connect to.
  const std::string& address() const { return address_; }

  // Ends the daemon now. An error tells how it ended when that was not well.
  absl::Status Stop();

 private:
  explicit PrivateDaemon(std::string directory) : directory_(std::move(directory)) {}

  absl::Status Launch(const PrivateDaemonOptions& options);
  // Reads the line that the daemon writes when it serves.
  absl::Status AwaitReady(int ready_fd, const Deadline& deadline);
  absl::Status Reap();

  // Empty when moved from or stopped.
  std::string directory_;
  std::string address_;
  // pid -1: not running.
  SpawnedProcess process_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_PRIVATE_DAEMON_H_
