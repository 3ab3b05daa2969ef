// grpc::Status as absl::Status, with what the daemon said about it.
#ifndef MUSTER_CLIENT_RPC_STATUS_H_
#define MUSTER_CLIENT_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace muster {

// The same code; the message is "<what>: <message of the daemon>", then those field violations, failed preconditions
// and limits of the status's details that the message does not show already. Each detail is also a payload, under its
// type's URL
// ("type.googleapis.com/google.rpc.BadRequest"), for programs that act on it.
absl::Status FromRpcStatus(const grpc::Status& status, absl::string_view what);

}  // namespace muster

#endif  // MUSTER_CLIENT_RPC_STATUS_H_
