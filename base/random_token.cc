#include "base/random_token.h"

#include <errno.h>
#include <sys/random.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/errno_status.h"

namespace muster {

absl::StatusOr<std::string> RandomToken(size_t bytes) {
  if (bytes > 256) return absl::InvalidArgumentError(absl::StrCat("a random token of ", bytes, " bytes is too long"));
  std::string raw(bytes, '\0');
  ssize_t got;
  do {
    got = getrandom(raw.data(), raw.size(), 0);
  } while (got < 0 && errno == EINTR);
  // Up to 256 bytes come whole.
  if (got != static_cast<ssize_t>(bytes)) return ErrnoStatus(got < 0 ? errno : EIO, "getrandom");
  return absl::BytesToHexString(raw);
}

}  // namespace muster
