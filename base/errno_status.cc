#include "base/errno_status.h"

#include <string.h>

#include "absl/strings/str_cat.h"

namespace muster {

const char* ErrnoName(int error_number) {
  const char* name = strerrorname_np(error_number);
  return name != nullptr ? name : "unknown errno";
}

absl::Status ErrnoStatus(int error_number, absl::string_view what) {
  return absl::Status(
      absl::ErrnoToStatusCode(error_number),
      absl::StrCat(what, ": ", ErrnoName(error_number), " (",
                   strerrordesc_np(error_number) != nullptr ? strerrordesc_np(error_number) : "no description", ")"));
}

}  // namespace muster
