// What a client holds while it is alive.
#ifndef MUSTER_CLIENT_LEASE_H_
#define MUSTER_CLIENT_LEASE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/mutex.h"
#include "client/connection.h"
#include "muster/v1/muster.pb.h"

namespace muster {

struct LeaseOptions {
  // Shown by ListPools, as a host or job name; at most 256 bytes.
  std::string owner;
  // How long the daemon waits for us after a break. Absent: its default.
  std::optional<absl::Duration> grace;
  // Called on the lease's own thread with every event; must not block for long, and must not destroy the lease.
  std::function<void(const v1::LeaseEvent&)> on_event;
};

// Owns a lease and the thread that reads its stream. When the stream breaks, dials again and reattaches within the
// grace time. The destructor ends the lease, which kills and removes all it owns, and takes at most ten seconds.
// Thread-safe.
class Lease {
 public:
  static absl::StatusOr<std::unique_ptr<Lease>> Open(std::shared_ptr<Connection> connection, LeaseOptions options,
                                                     const Deadline& deadline);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // For requests made in the lease's name.
  v1::Authority authority() const;

  // OK while the lease is held, also during a break that may still heal. Otherwise why it was lost, which is final.
  absl::Status status() const;

 private:
  enum class State { kOpening, kHeld, kLost };

  Lease(std::shared_ptr<Connection> connection, LeaseOptions options)
      : connection_(std::move(connection)), options_(std::move(options)) {}

  // The reader thread: stream after stream, until the lease is lost or ended.
  void Run();
  // One stream, from its opening to its end.
  absl::Status ReadStream();
  void OnMessage(const v1::LeaseEvent& event);
  // True when the stream should be opened again after `status`; otherwise the lease is lost.
  bool MayReattach(const absl::Status& status);
  // Waits a little between attempts; false when the lease is being ended.
  bool Pause(int attempt);
  v1::OpenLeaseRequest Request() const;
  void EndAtDaemon();

  const std::shared_ptr<Connection> connection_;
  const LeaseOptions options_;
  std::thread reader_;

  mutable Mutex mutex_;
  CondVar changed_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kOpening;
  // Why the lease was lost, or why it was not opened.
  absl::Status lost_ ABSL_GUARDED_BY(mutex_);
  v1::LeaseEvent::Opened opened_ ABSL_GUARDED_BY(mutex_);
  // When the grace time runs out; absent while a stream is up.
  std::optional<Deadline> reattach_by_ ABSL_GUARDED_BY(mutex_);
  // Of the present stream, to cancel it; null between streams.
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_LEASE_H_
