// absl::Status from errno.
#ifndef MUSTER_BASE_ERRNO_STATUS_H_
#define MUSTER_BASE_ERRNO_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace muster {

// `what` names the act and its object ("open /sys/fs/cgroup/x"); the result's message adds errno's name and text, as
// "open /x: ENOENT (No such file or directory)". The code follows absl::ErrnoToStatusCode.
absl::Status ErrnoStatus(int error_number, absl::string_view what);

// Name of an errno value, as "ENOENT"; "errno 4711" for one that glibc does not know.
const char* ErrnoName(int error_number);

}  // namespace muster

#endif  // MUSTER_BASE_ERRNO_STATUS_H_
