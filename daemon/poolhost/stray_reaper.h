// Children of this process: those that have an owner, and strangers that it inherits as a child subreaper.
#ifndef MUSTER_DAEMON_POOLHOST_STRAY_REAPER_H_
#define MUSTER_DAEMON_POOLHOST_STRAY_REAPER_H_

#include <sys/types.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "base/pidfd.h"
#include "base/spawn_process.h"

namespace muster {

// Hears of strangers. Called on the reaper's thread, no lock held.
class StrayListener {
 public:
  virtual ~StrayListener() = default;
  // A stranger was reaped; it had ended by itself or by our SIGKILL.
  virtual void OnStrayReaped(pid_t pid, const ProcessEnd& end) = 0;
};

// Makes the process a child subreaper and runs a thread that kills and reaps every child which nobody here has spawned
// or adopted: what dead pool hosts leave behind. The destructor ends the thread; owned children stay as they are. One
// per process, made while it has one thread (SIGCHLD is blocked in it and in all later ones) and outlived by no
// SpawnProcess of others. Thread-safe.
class StrayReaper {
 public:
  static absl::StatusOr<std::unique_ptr<StrayReaper>> Start();
  ~StrayReaper();

  // A child with an owner: the caller, who reaps it with Reap.
  absl::StatusOr<SpawnedProcess> Spawn(const SpawnOptions& options);
  // Waits for and reaps a child from Spawn or Adopt; then its number is nobody's. DEADLINE_EXCEEDED: it still runs.
  absl::StatusOr<ProcessEnd> Reap(const SpawnedProcess& child, Deadline deadline);
  // A child that was made before this object, or otherwise than by Spawn, has an owner who reaps it without telling: it
  // is left alone for good.
  void Adopt(pid_t child);

  // Null: nobody. Returns when a call to the former listener that is under way has ended. Ends before then are not
  // told.
  void SetListener(StrayListener* listener);

 private:
  class Impl;
  explicit StrayReaper(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_STRAY_REAPER_H_
