// absl::Status as gRPC sends it.
#ifndef MUSTER_DAEMON_SERVICE_STATUS_H_
#define MUSTER_DAEMON_SERVICE_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace muster {

// The same code and words, with a google.rpc.Status in the error details: BadRequest for INVALID_ARGUMENT,
// PreconditionFailure for FAILED_PRECONDITION, ErrorInfo for RESOURCE_EXHAUSTED, from what base/error_detail.h put into
// the status. Messages are cut at kMaxMessageBytes: a client drops a call whose trailers exceed 8 KiB, and there the
// words stand up to three times.
grpc::Status ToGrpcStatus(const absl::Status& status);

inline constexpr size_t kMaxMessageBytes = 1000;

}  // namespace muster

#endif  // MUSTER_DAEMON_SERVICE_STATUS_H_
