// One pool host, by the words of control.proto.
#ifndef MUSTER_DAEMON_POOLHOST_POOL_HOST_H_
#define MUSTER_DAEMON_POOLHOST_POOL_HOST_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/deadline.h"
#include "daemon/poolhost/host_launcher.h"
#include "muster/control/control.pb.h"

namespace muster {

// Hears what a pool host says unasked, on its reader thread, no lock held.
class PoolHostListener {
 public:
  virtual ~PoolHostListener() = default;
  virtual void OnWorkerDied(uint32_t worker) = 0;
  // It has been reaped; every request has been answered, with an error if need be. The last call. `error` says how it
  // ended, and is empty when it was told to and ended well.
  virtual void OnHostEnded(const std::string& error) = 0;
};

// Ends the pool host when destroyed, as End does, within a second. Thread-safe, but for the destructor, which the
// listener's calls must not run.
class PoolHost {
 public:
  using Done = std::function<void(absl::StatusOr<control::Reply>)>;

  // `listener` outlives this object. RESOURCE_EXHAUSTED: no thread can be made for it, and what was launched is gone.
  static absl::StatusOr<std::unique_ptr<PoolHost>> Make(LaunchedHost host, PoolHostListener* listener);
  PoolHost(const PoolHost&) = delete;
  PoolHost& operator=(const PoolHost&) = delete;
  ~PoolHost();

  // Sends a request with descriptors; its number is filled in. `done` is called once: with the reply, whatever its code
  // is; UNAVAILABLE when the pool host is gone; DEADLINE_EXCEEDED. On the reader thread, or on this one when it could
  // not be sent.
  void Send(control::Request request, const std::vector<int>& descriptors, Deadline deadline, Done done);

  // The same, waiting. A reply with an error code becomes that error, with its field; not for the listener's calls.
  absl::StatusOr<control::Reply> Call(control::Request request, const std::vector<int>& descriptors, Deadline deadline);

  // Sends what has no reply.
  absl::Status Post(control::Request request);

  // Asks it to kill everything and exit; past the deadline kills it. Returns when it has been reaped and OnHostEnded
  // has returned, at most a second after the deadline; DEADLINE_EXCEEDED: it is stuck in the kernel. Not for the
  // listener's calls.
  absl::Status End(Deadline deadline);

  // Kills it without asking.
  void Kill();

  HostProcess& process() { return *process_; }

 private:
  class Impl;

  PoolHost(std::unique_ptr<HostProcess> process, std::unique_ptr<Impl> impl);

  // Declared first: the implementation uses it to its end.
  const std::unique_ptr<HostProcess> process_;
  const std::unique_ptr<Impl> impl_;
};

// The error that a reply carries; OK for code 0.
absl::Status StatusOfReply(const control::Reply& reply);

}  // namespace muster

#endif  // MUSTER_DAEMON_POOLHOST_POOL_HOST_H_
