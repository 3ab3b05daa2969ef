// The way to one daemon: dialling, calling, dialling again.
#ifndef MUSTER_CLIENT_CONNECTION_H_
#define MUSTER_CLIENT_CONNECTION_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/address.h"
#include "base/deadline.h"
#include "base/mutex.h"
#include "client/call_traffic.h"
#include "client/dialler.h"
#include "client/redials.h"
#include "client/tls_channel.h"
#include "muster/v1/muster.grpc.pb.h"

namespace muster {

struct ConnectionOptions {
  // A peer that is silent for `keepalive_time` is asked for a sign of life, and is gone when it gives none within
  // `keepalive_timeout`. A frozen machine is noticed by nothing else.
  absl::Duration keepalive_time = absl::Seconds(1);
  absl::Duration keepalive_timeout = absl::Seconds(1);
  // A call whose connections break by silence, or are not made for it, dials again for so long, within its own deadline
  // (client/redials.h).
  absl::Duration redial_for = absl::Seconds(20);
  // For tcp, which goes beyond this machine with TLS only; with any other address INVALID_ARGUMENT.
  std::optional<TlsOptions> tls;
};

// Owns the channel to a daemon; the destructor closes it. Thread-safe.
//
// gRPC is given a connected descriptor over every transport, also where it could dial by itself; but not for TLS, which
// it does not do over such a channel. Such a channel never reconnects, and asking it for its state aborts the process:
// this object dials again, and knows a broken channel by a call that failed with UNAVAILABLE.
class Connection {
 public:
  using Stub = v1::Muster::Stub;

  // Dials within the deadline; a guest that still boots is waited for so long (client/guest_dial.h). Later, when a
  // connection has broken, the one who calls again is told at once that nobody is there.
  static absl::StatusOr<std::shared_ptr<Connection>> Open(const Address& address, const ConnectionOptions& options,
                                                          const Deadline& deadline);

  // The present channel; dials when there is none. Hold the result while a stream of it is open.
  absl::StatusOr<std::shared_ptr<Stub>> GetStub(const Deadline& deadline);

  // The same for a try of a call that `redials` counts: UNAVAILABLE when its patience has run out before the deadline.
  // CANCELLED soon after `cancelled`, which is asked from time to time, has said so.
  absl::StatusOr<std::shared_ptr<Stub>> GetStub(const Deadline& deadline, const Redials& redials,
                                                const std::function<bool()>& cancelled = nullptr);

  // Says that a call on `stub` found its connection broken: the next GetStub dials. Another's newer channel stays.
  void ReportBroken(const std::shared_ptr<Stub>& stub);

  // One unary call. `what` is the act and its object for errors, as "start of pool p1". When the connection breaks,
  // dials and calls again within the deadline, so the request must carry a request id or change nothing.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, const Deadline& deadline, absl::string_view what) {
    Response response;
    const absl::Status status = Retry(deadline, what, [&](Stub& stub, grpc::ClientContext* context) {
      response.Clear();
      return (stub.*method)(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }

  const Address& address() const { return address_; }

  // For one call on this connection.
  Redials NewRedials() const { return Redials(options_.redial_for, options_.keepalive_time); }

  // Told of by calls and streams; heeded by who only waits.
  CallTraffic& traffic() { return traffic_; }

 private:
  using Attempt = absl::FunctionRef<grpc::Status(Stub&, grpc::ClientContext*)>;

  Connection(Address address, const ConnectionOptions& options)
      : address_(std::move(address)), options_(options), dialler_(address_) {}

  // Whether a guest may still be booting.
  enum class Patience { kNone, kBoot };

  absl::StatusOr<std::shared_ptr<Stub>> DialStub(const Deadline& deadline, Patience patience);
  absl::StatusOr<std::shared_ptr<Stub>> DialTlsStub(const Deadline& deadline) const;
  absl::Status Retry(const Deadline& deadline, absl::string_view what, Attempt attempt);

  const Address address_;
  const ConnectionOptions options_;
  Dialler dialler_;
  CallTraffic traffic_;
  Mutex mutex_;
  std::shared_ptr<Stub> stub_ ABSL_GUARDED_BY(mutex_);
};

// Sets the deadline of a call, on the monotonic clock.
void SetDeadline(grpc::ClientContext* context, const Deadline& deadline);

}  // namespace muster

#endif  // MUSTER_CLIENT_CONNECTION_H_
