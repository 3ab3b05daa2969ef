// What an error says beyond its text. Kept in the status's payload, so that it survives every layer up to the service, which
// makes google.rpc details of it.
#ifndef MUSTER_DAEMON_SPEC_ERROR_DETAIL_H_
#define MUSTER_DAEMON_SPEC_ERROR_DETAIL_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace muster {

// Empty strings: not said.
struct ErrorDetail {
  // INVALID_ARGUMENT: path of the field below the spec, as "composed[2].affinity.exact.cpus".
  std::string field;
  // FAILED_PRECONDITION: what is missing, as "allow_exec" or "cgroup controller cpuset".
  std::string missing;
  // RESOURCE_EXHAUSTED: the limit's name, which is its flag's without dashes, and its value.
  std::string limit;
  int64_t limit_value = 0;
};

// INVALID_ARGUMENT, "FIELD: TEXT". The text says what is wrong and what would be right.
absl::Status FieldError(absl::string_view field, absl::string_view text);

// FAILED_PRECONDITION, "TEXT". The text says what to do about it.
absl::Status MissingError(absl::string_view missing, absl::string_view text);

// RESOURCE_EXHAUSTED, "TEXT: the limit LIMIT is VALUE".
absl::Status LimitError(absl::string_view limit, int64_t value, absl::string_view text);

// Of a status made by one of the above, also after it went through Annotate; empty for others.
ErrorDetail DetailOf(const absl::Status& status);

// The same status with another text; code and detail stay.
absl::Status WithText(const absl::Status& status, absl::string_view text);

}  // namespace muster

#endif  // MUSTER_DAEMON_SPEC_ERROR_DETAIL_H_
