// Errors that carry what a program can act on beside the words: a field, a limit, a precondition.
#ifndef MUSTER_BASE_ERROR_DETAIL_H_
#define MUSTER_BASE_ERROR_DETAIL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace muster {

// INVALID_ARGUMENT: the field at path `field` of the request, as "composed[2].affinity", is wrong. `text` says how, and
// how to mend it; the message is "<field>: <text>".
absl::Status FieldError(absl::string_view field, absl::string_view text);

// RESOURCE_EXHAUSTED: the limit `name` (the flag's name, as "max_pools") of `value` would be exceeded. The message is
// "<text> (limit max_pools is 64)".
absl::Status LimitError(absl::string_view name, int64_t value, absl::string_view text);

// FAILED_PRECONDITION of kind `type`, as "CGROUP_CONTROLLER" or "POOL_STATE", about `subject`, as "cpuset" or a pool's
// id. `text` is the whole message, with what to do about it.
struct Precondition {
  std::string type;
  std::string subject;
};
absl::Status PreconditionError(const Precondition& precondition, absl::string_view text);

// What the functions above put in; absent for other statuses.
struct Limit {
  std::string name;
  int64_t value = 0;
};
std::optional<std::string> FieldOf(const absl::Status& status);
std::optional<Limit> LimitOf(const absl::Status& status);
std::optional<Precondition> PreconditionOf(const absl::Status& status);

// The same status with `prefix` before the field's path ("spec." makes "spec.nice" of "nice"). The message stays; a
// status without a field stays as it is.
absl::Status PrefixField(absl::Status status, absl::string_view prefix);

// The same code and details with "<what>: " before the message.
absl::Status Annotate(const absl::Status& status, absl::string_view what);

}  // namespace muster

#endif  // MUSTER_BASE_ERROR_DETAIL_H_
