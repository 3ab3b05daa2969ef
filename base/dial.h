// Connecting to a daemon over every transport.
#ifndef MUSTER_BASE_DIAL_H_
#define MUSTER_BASE_DIAL_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/address.h"
#include "base/unique_fd.h"

namespace muster {

// A connected stream socket, non-blocking and close-on-exec. `timeout` covers every step, the hybrid handshake too.
// Errors name the step and the address: UNAVAILABLE when nobody listens there, DEADLINE_EXCEEDED, PERMISSION_DENIED.
// Tries once; whoever waits for a daemon to come up calls again.
absl::StatusOr<UniqueFd> Dial(const Address& address, absl::Duration timeout);

}  // namespace muster

#endif  // MUSTER_BASE_DIAL_H_
