// Threads where there may be no room for one.
#ifndef MUSTER_BASE_MAKE_THREAD_H_
#define MUSTER_BASE_MAKE_THREAD_H_

#include <functional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {

// Runs `work` on a thread of its own, which the caller joins. RESOURCE_EXHAUSTED: none can be made; `what` says whose
// it would be. The standard library throws instead, which would end the process.
inline absl::StatusOr<std::thread> MakeThread(absl::string_view what, std::function<void()> work) {
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& error) {
    const absl::Status status = ErrnoStatus(error.code().value(), absl::StrCat("making a thread for ", what));
    return absl::ResourceExhaustedError(status.message());
  }
}

}  // namespace muster

#endif  // MUSTER_BASE_MAKE_THREAD_H_
