#include "daemon/service/status.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/error_detail.h"
#include "google/rpc/error.pb.h"

namespace muster {
namespace {

constexpr char kDomain[] = "muster.v1";
constexpr size_t kMaxNameBytes = 500;

// The beginning of `text`, valid UTF-8 if the text is: gRPC and protobuf both want that.
std::string Cut(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  size_t end = max_bytes - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "...");
}

google::rpc::BadRequest BadRequestOf(const absl::Status& status, const std::string& words) {
  google::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field(Cut(FieldOf(status).value_or(""), kMaxNameBytes));
  violation->set_description(words);
  return bad;
}

google::rpc::PreconditionFailure PreconditionFailureOf(const absl::Status& status, const std::string& words) {
  google::rpc::PreconditionFailure failure;
  auto* violation = failure.add_violations();
  const Precondition precondition = PreconditionOf(status).value_or(Precondition{});
  violation->set_type(Cut(precondition.type, kMaxNameBytes));
  violation->set_subject(Cut(precondition.subject, kMaxNameBytes));
  violation->set_description(words);
  return failure;
}

google::rpc::ErrorInfo ErrorInfoOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  info.set_domain(kDomain);
  const std::optional<Limit> limit = LimitOf(status);
  // Without a limit of ours it was the machine that had no more.
  info.set_reason(limit.has_value() ? "LIMIT_EXCEEDED" : "MACHINE_EXHAUSTED");
  if (limit.has_value()) {
    (*info.mutable_metadata())["limit"] = limit->name;
    (*info.mutable_metadata())["value"] = absl::StrCat(limit->value);
  }
  return info;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string words = Cut(status.message(), kMaxMessageBytes);
  google::rpc::Status detailed;
  detailed.set_code(static_cast<int>(status.code()));
  detailed.set_message(words);
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      detailed.add_details()->PackFrom(BadRequestOf(status, words));
      break;
    case absl::StatusCode::kFailedPrecondition:
      detailed.add_details()->PackFrom(PreconditionFailureOf(status, words));
      break;
    case absl::StatusCode::kResourceExhausted:
      detailed.add_details()->PackFrom(ErrorInfoOf(status));
      break;
    default:
      break;
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), words, detailed.SerializeAsString());
}

}  // namespace muster
