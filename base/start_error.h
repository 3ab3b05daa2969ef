// Why a process could not be made.
#ifndef MUSTER_BASE_START_ERROR_H_
#define MUSTER_BASE_START_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace muster {

// As ErrnoStatus, for what makes a process. EAGAIN is RESOURCE_EXHAUSTED and names the limits that may have been
// reached: clone(2) has this one error for all of them.
absl::Status StartError(int error_number, absl::string_view what);

}  // namespace muster

#endif  // MUSTER_BASE_START_ERROR_H_
