#include "client/rpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error.pb.h"

namespace muster {
namespace {

void AppendOnce(std::string* message, absl::string_view text) {
  if (!text.empty() && !absl::StrContains(*message, text)) absl::StrAppend(message, "; ", text);
}

void AppendBadRequest(std::string* message, const google::rpc::BadRequest& detail) {
  for (const auto& violation : detail.field_violations()) {
    if (absl::StrContains(*message, violation.description()) && absl::StrContains(*message, violation.field()))
      continue;
    AppendOnce(message, absl::StrCat(violation.field(), ": ", violation.description()));
  }
}

void AppendPrecondition(std::string* message, const google::rpc::PreconditionFailure& detail) {
  for (const auto& violation : detail.violations()) {
    if (absl::StrContains(*message, violation.description())) continue;
    AppendOnce(message, absl::StrCat(violation.type(), " ", violation.subject(), ": ", violation.description()));
  }
}

void AppendErrorInfo(std::string* message, const google::rpc::ErrorInfo& detail) {
  const auto limit = detail.metadata().find("limit");
  const auto value = detail.metadata().find("value");
  if (limit == detail.metadata().end() || value == detail.metadata().end()) return;
  if (absl::StrContains(*message, limit->second) && absl::StrContains(*message, value->second)) return;
  AppendOnce(message, absl::StrCat("limit ", limit->second, " = ", value->second));
}

void AppendDetail(std::string* message, const google::protobuf::Any& any) {
  google::rpc::BadRequest bad_request;
  google::rpc::PreconditionFailure precondition;
  google::rpc::ErrorInfo info;
  if (any.UnpackTo(&bad_request)) AppendBadRequest(message, bad_request);
  if (any.UnpackTo(&precondition)) AppendPrecondition(message, precondition);
  if (any.UnpackTo(&info)) AppendErrorInfo(message, info);
}

}  // namespace

absl::Status FromRpcStatus(const grpc::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status rich;
  // Bytes from outside: details that do not parse are as if there were none.
  if (!rich.ParseFromString(status.error_details())) rich.Clear();
  std::string message = absl::StrCat(what, ": ", status.error_message());
  for (const auto& detail : rich.details()) AppendDetail(&message, detail);
  // The codes have the same numbers (google.rpc.Code).
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), message);
  for (const auto& detail : rich.details()) result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  return result;
}

}  // namespace muster
