// The daemon's side of its janitor.
#ifndef MUSTER_DAEMON_JANITOR_JANITOR_H_
#define MUSTER_DAEMON_JANITOR_JANITOR_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/cgroup_dir.h"
#include "base/deadline.h"
#include "base/spawn_process.h"
#include "base/unique_fd.h"

namespace muster {

struct JanitorOptions {
  // The worker binary, which is started as "<binary> --janitor <instance>".
  std::string worker_binary;
  std::string instance;
  // See base/instance_tree.h; both are duplicated into the janitor.
  const CgroupDir* base = nullptr;
  const CgroupDir* locked = nullptr;
  // Starts the process; SpawnProcess unless set. For callers who must know of every child of theirs.
  std::function<absl::StatusOr<SpawnedProcess>(const SpawnOptions&)> spawn = SpawnProcess;
};

// Owns the janitor process: while this object or the process lives, the instance's cgroups do not outlive the daemon.
// The destructor says good-bye and reaps it, killing it after a second. Remove the instance before: after the good-bye
// nobody would. Move-only.
class Janitor {
 public:
  // Returns when the janitor is on watch; within 5 s.
  static absl::StatusOr<Janitor> Spawn(const JanitorOptions& options);

  Janitor(Janitor&&) = default;
  Janitor& operator=(Janitor&&) = delete;
  ~Janitor();

  pid_t pid() const { return process_.pid; }
  // For poll(2): readable when the janitor has died, which nobody asked for; spawn another one then.
  int pidfd() const { return process_.pidfd.fd(); }

 private:
  absl::Status WaitReady(Deadline deadline) const;
  Janitor(SpawnedProcess process, UniqueFd socket) : process_(std::move(process)), socket_(std::move(socket)) {}

  SpawnedProcess process_;
  // Close-on-exec, and not in the descriptor map of anything else that the daemon spawns. Invalid: moved from.
  UniqueFd socket_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_JANITOR_JANITOR_H_
