// What connect(2) says, for people.
#ifndef MUSTER_BASE_CONNECT_ERROR_H_
#define MUSTER_BASE_CONNECT_ERROR_H_

#include "absl/status/status.h"
#include "base/address.h"

namespace muster {

// Names the address and the step: UNAVAILABLE when nobody is there now and somebody may be soon (nobody listens, no
// such CID), DEADLINE_EXCEEDED when there was no answer in time, else what the errno stands for.
absl::Status ConnectError(int error_number, const Address& address);

}  // namespace muster

#endif  // MUSTER_BASE_CONNECT_ERROR_H_
