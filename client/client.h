// Where a program that uses muster begins.
#ifndef MUSTER_CLIENT_CLIENT_H_
#define MUSTER_CLIENT_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/call_options.h"
#include "client/session.h"
#include "client/workload_handle.h"
#include "muster/v1/muster.pb.h"

namespace muster {

struct ClientOptions {
  // Covers dialling, asking for the protocol, and opening the lease.
  absl::Duration connect_timeout = absl::Seconds(10);
  ConnectionOptions connection;
  LeaseOptions lease;
};

struct PoolOptions {
  // Spawning takes about as long as that many forks.
  CallOptions call = {.timeout = absl::Minutes(2)};
  // The pool outlives the lease until somebody drops it; its handle drops it all the same, unless it was released.
  bool detached = false;
};

// A daemon, and a lease there in whose name things are made. The lease is shared with everything that came from this
// client: it ends when the client and all of that are destroyed, and then the daemon kills and removes what is left.
// Move-only, thread-safe.
//
// Connecting raises the allocator's M_MMAP_THRESHOLD and M_TRIM_THRESHOLD for the whole process (mallopt(3)): reports
// are large, and mapping each anew would cost more than reading it.
class Client {
 public:
  // `address` as "unix:///run/muster.sock", "vsock://3:7070"; see base/address.h. Errors say which step failed.
  static absl::StatusOr<Client> Connect(absl::string_view address, ClientOptions options = {});

  // Validates everything and makes the workers, which then wait at their gate.
  absl::StatusOr<WorkloadHandle> Spawn(const v1::WorkloadSpec& spec, PoolOptions options = {});

  // What the daemon and its machine are and can do, and the catalogue of work types.
  absl::StatusOr<v1::GetServerInfoResponse> ServerInfo(CallOptions options = {}) const;

  // OK while the lease is held; otherwise why everything it owned is gone.
  absl::Status lease_status() const { return session_->lease->status(); }

 private:
  friend class CgroupManager;

  explicit Client(std::shared_ptr<Session> session) : session_(std::move(session)) {}

  std::shared_ptr<Session> session_;
};

}  // namespace muster

#endif  // MUSTER_CLIENT_CLIENT_H_
