// Dialling a daemon that may not be up yet.
#ifndef MUSTER_CLIENT_GUEST_DIAL_H_
#define MUSTER_CLIENT_GUEST_DIAL_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/address.h"
#include "base/deadline.h"
#include "base/unique_fd.h"

namespace muster {

// One attempt, with errors as those of base/dial.h.
using DialOnce = absl::FunctionRef<absl::StatusOr<UniqueFd>(const Deadline& deadline)>;

// Dials `address` by `dial`. On both kinds of vsock, where a guest may still boot, it goes on until the deadline as
// long as nobody is there or answers; a refusal for another reason ends it at once. The error is the last attempt's,
// with the number of attempts. On other transports the one attempt has the whole deadline.
absl::StatusOr<UniqueFd> DialPatiently(const Address& address, const Deadline& deadline, DialOnce dial);

}  // namespace muster

#endif  // MUSTER_CLIENT_GUEST_DIAL_H_
