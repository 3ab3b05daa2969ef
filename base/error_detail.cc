#include "base/error_detail.h"

#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace muster {
namespace {

// Payload types. Both halves of a pair are separated by a NUL, which neither holds.
constexpr absl::string_view kFieldType = "muster/field";
constexpr absl::string_view kLimitType = "muster/limit";
constexpr absl::string_view kPreconditionType = "muster/precondition";

absl::Status WithPayload(absl::Status status, absl::string_view type, absl::string_view value) {
  status.SetPayload(type, absl::Cord(value));
  return status;
}

std::optional<std::string> Payload(const absl::Status& status, absl::string_view type) {
  const absl::optional<absl::Cord> value = status.GetPayload(type);
  if (!value.has_value()) return std::nullopt;
  return std::string(*value);
}

absl::Status WithPair(absl::Status status, absl::string_view type,
                      std::pair<absl::string_view, absl::string_view> value) {
  std::string joined(value.first);
  joined.push_back('\0');
  joined.append(value.second.data(), value.second.size());
  return WithPayload(std::move(status), type, joined);
}

std::optional<std::pair<std::string, std::string>> Pair(const absl::Status& status, absl::string_view type) {
  const std::optional<std::string> joined = Payload(status, type);
  if (!joined.has_value()) return std::nullopt;
  return absl::StrSplit(*joined, absl::MaxSplits('\0', 1));
}

}  // namespace

absl::Status FieldError(absl::string_view field, absl::string_view text) {
  return WithPayload(absl::InvalidArgumentError(absl::StrCat(field, ": ", text)), kFieldType, field);
}

absl::Status LimitError(absl::string_view name, int64_t value, absl::string_view text) {
  return WithPair(absl::ResourceExhaustedError(absl::StrCat(text, " (limit ", name, " is ", value, ")")), kLimitType,
                  {name, absl::StrCat(value)});
}

absl::Status PreconditionError(const Precondition& precondition, absl::string_view text) {
  return WithPair(absl::FailedPreconditionError(text), kPreconditionType, {precondition.type, precondition.subject});
}

std::optional<std::string> FieldOf(const absl::Status& status) { return Payload(status, kFieldType); }

std::optional<Limit> LimitOf(const absl::Status& status) {
  const auto pair = Pair(status, kLimitType);
  Limit limit;
  if (!pair.has_value() || !absl::SimpleAtoi(pair->second, &limit.value)) return std::nullopt;
  limit.name = pair->first;
  return limit;
}

std::optional<Precondition> PreconditionOf(const absl::Status& status) {
  const auto pair = Pair(status, kPreconditionType);
  if (!pair.has_value()) return std::nullopt;
  return Precondition{pair->first, pair->second};
}

absl::Status PrefixField(absl::Status status, absl::string_view prefix) {
  const std::optional<std::string> field = FieldOf(status);
  if (!field.has_value()) return status;
  return WithPayload(std::move(status), kFieldType, absl::StrCat(prefix, *field));
}

absl::Status Annotate(const absl::Status& status, absl::string_view what) {
  absl::Status annotated(status.code(), absl::StrCat(what, ": ", status.message()));
  status.ForEachPayload(
      [&annotated](absl::string_view type, const absl::Cord& value) { annotated.SetPayload(type, value); });
  return annotated;
}

}  // namespace muster
