#include "base/connect_error.h"

#include <errno.h>

#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {
namespace {

// What the errno means on a vsock; empty: nothing of its own.
absl::string_view VsockMeaning(int error_number) {
  switch (error_number) {
    case ENODEV:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "; no such CID: no guest that runs has it, or this machine has no vsock device";
    case ECONNRESET:
    case ECONNREFUSED:
      return "; nobody listens on that port there";
    case ETIMEDOUT:
      return "; no such CID, or what has it is not up yet";
    default:
      return "";
  }
}

}  // namespace

absl::Status ConnectError(int error_number, const Address& address) {
  const bool vsock = std::holds_alternative<VsockAddress>(address);
  const absl::Status status = ErrnoStatus(error_number, absl::StrCat("connect to ", FormatAddress(address)));
  const std::string message = absl::StrCat(status.message(), vsock ? VsockMeaning(error_number) : "");
  switch (error_number) {
    // No socket file, a reset by a machine without that listener.
    case ENOENT:
    case ECONNRESET:
      return absl::UnavailableError(message);
    case ETIMEDOUT:
    case EAGAIN:
      return absl::DeadlineExceededError(message);
    case ENODEV:
      return vsock ? absl::UnavailableError(message) : absl::Status(status.code(), message);
    default:
      return absl::Status(status.code(), message);
  }
}

}  // namespace muster
