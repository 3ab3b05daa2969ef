// Following a pool's counters.
#ifndef MUSTER_CLIENT_WATCHER_H_
#define MUSTER_CLIENT_WATCHER_H_

#include <grpcpp/client_context.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/deadline.h"
#include "base/mutex.h"
#include "client/connection.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {

// Reads the updates of one pool; after a break it dials again and goes on from the totals it has, so that the
// differences still add up. The destructor cancels the stream. Next is for one thread, Cancel for any.
class Watcher {
 public:
  // `period` between two updates, 10 ms to 1 h. The stream ends at the deadline at the latest.
  Watcher(std::shared_ptr<Connection> connection, std::string pool_id, absl::Duration period, Deadline deadline);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // The next update, waiting for it. Nothing after the final one. CANCELLED after Cancel, NOT_FOUND for a pool that is
  // gone, UNAVAILABLE when the daemon is not reached any more.
  absl::StatusOr<std::optional<v1::WatchUpdate>> Next();

  // Makes a Next that waits, and every later one, return; one that dials within a few seconds.
  void Cancel();

 private:
  bool IsCancelled();
  absl::Status OpenStream();
  // Ends the present stream; returns its status.
  grpc::Status CloseStream();
  void Account(const v1::WatchUpdate& update);

  const std::shared_ptr<Connection> connection_;
  const Deadline deadline_;
  const std::string what_;
  // Carries the totals known so far.
  v1::WatchRequest request_;
  bool ended_ = false;
  Redials redials_ = connection_->NewRedials();

  std::shared_ptr<Connection::Stub> stub_;
  std::unique_ptr<grpc::ClientReader<v1::WatchUpdate>> reader_;

  Mutex mutex_;
  std::unique_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_WATCHER_H_
