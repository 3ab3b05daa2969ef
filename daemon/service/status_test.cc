#include "daemon/service/status.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error_detail.h"
#include "google/rpc/error.pb.h"

namespace muster {
namespace {

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), static_cast<int>(status.error_code()));
  EXPECT_EQ(details.message(), status.error_message());
  return details;
}

template <class Message>
Message OnlyDetail(const grpc::Status& status) {
  const google::rpc::Status details = Details(status);
  Message message;
  EXPECT_EQ(details.details_size(), 1);
  EXPECT_TRUE(details.details_size() == 1 && details.details(0).UnpackTo(&message));
  return message;
}

TEST(ToGrpcStatus, OkCarriesNothing) {
  const grpc::Status status = ToGrpcStatus(absl::OkStatus());
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_details(), "");
}

TEST(ToGrpcStatus, AWrongFieldIsABadRequest) {
  const grpc::Status status = ToGrpcStatus(PrefixField(FieldError("composed[2].affinity", "is empty"), "spec."));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "composed[2].affinity: is empty");
  const auto bad = OnlyDetail<google::rpc::BadRequest>(status);
  ASSERT_EQ(bad.field_violations_size(), 1);
  EXPECT_EQ(bad.field_violations(0).field(), "spec.composed[2].affinity");
  EXPECT_EQ(bad.field_violations(0).description(), "composed[2].affinity: is empty");
}

TEST(ToGrpcStatus, APreconditionKeepsTypeAndSubject) {
  const auto failure = OnlyDetail<google::rpc::PreconditionFailure>(
      ToGrpcStatus(PreconditionError({"CGROUP_CONTROLLER", "cpuset"}, "cpuset is bound to v1; unmount it there")));
  ASSERT_EQ(failure.violations_size(), 1);
  EXPECT_EQ(failure.violations(0).type(), "CGROUP_CONTROLLER");
  EXPECT_EQ(failure.violations(0).subject(), "cpuset");
  EXPECT_EQ(failure.violations(0).description(), "cpuset is bound to v1; unmount it there");
}

TEST(ToGrpcStatus, ALimitIsNamedWithItsValue) {
  const auto info = OnlyDetail<google::rpc::ErrorInfo>(ToGrpcStatus(LimitError("max_pools", 64, "too many pools")));
  EXPECT_EQ(info.reason(), "LIMIT_EXCEEDED");
  EXPECT_EQ(info.domain(), "muster.v1");
  EXPECT_EQ(info.metadata().at("limit"), "max_pools");
  EXPECT_EQ(info.metadata().at("value"), "64");
}

TEST(ToGrpcStatus, AnExhaustedMachineIsNotALimitOfOurs) {
  const auto info = OnlyDetail<google::rpc::ErrorInfo>(ToGrpcStatus(absl::ResourceExhaustedError("clone3: EAGAIN")));
  EXPECT_EQ(info.reason(), "MACHINE_EXHAUSTED");
  EXPECT_TRUE(info.metadata().empty());
}

TEST(ToGrpcStatus, EveryCodeKeepsItsNumber) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status = ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "words"));
    EXPECT_EQ(static_cast<int>(status.error_code()), code);
    Details(status);
  }
}

TEST(ToGrpcStatus, AnErrorAlwaysFitsIntoTheTrailers) {
  const std::string flood(100'000, '\x01');
  const grpc::Status status = ToGrpcStatus(FieldError(flood, flood));
  // gRPC percent-encodes the message, three bytes for one.
  EXPECT_LT(3 * status.error_message().size() + status.error_details().size(), 7'000u);
}

TEST(ToGrpcStatus, ACutMessageIsStillUtf8) {
  std::string text;
  while (text.size() < 2 * kMaxMessageBytes) text += "\xe2\x82\xac";
  for (int shift = 0; shift < 3; ++shift) {
    const grpc::Status status = ToGrpcStatus(absl::InternalError(std::string(shift, 'x') + text));
    const std::string cut = status.error_message().substr(shift, status.error_message().size() - shift - 3);
    EXPECT_EQ(cut.size() % 3, 0u);
    EXPECT_LE(status.error_message().size(), kMaxMessageBytes);
  }
}

}  // namespace
}  // namespace muster
