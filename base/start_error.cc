#include "base/start_error.h"

#include <errno.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {

absl::Status StartError(int error_number, absl::string_view what) {
  const absl::Status status = ErrnoStatus(error_number, what);
  if (error_number != EAGAIN) return status;
  return absl::ResourceExhaustedError(
      absl::StrCat(status.message(),
                   ": no room for another process; the limit is pids.max of the cgroup or of one above it, "
                   "RLIMIT_NPROC, kernel.threads-max or kernel.pid_max"));
}

}  // namespace muster
