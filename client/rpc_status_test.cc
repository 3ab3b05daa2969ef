#include "client/rpc_status.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "google/rpc/error.pb.h"

namespace muster {
namespace {

grpc::Status WithDetail(grpc::StatusCode code, const std::string& message, const google::protobuf::Message& detail) {
  google::rpc::Status rich;
  rich.add_details()->PackFrom(detail);
  return grpc::Status(code, message, rich.SerializeAsString());
}

TEST(RpcStatusTest, OkStaysOk) { EXPECT_TRUE(FromRpcStatus(grpc::Status::OK, "spawn").ok()); }

TEST(RpcStatusTest, CodeAndMessageComeThroughBehindTheAct) {
  const absl::Status status = FromRpcStatus(grpc::Status(grpc::StatusCode::NOT_FOUND, "no pool p1"), "snapshot of p1");
  EXPECT_EQ(status, absl::NotFoundError("snapshot of p1: no pool p1"));
}

TEST(RpcStatusTest, FieldViolationsAreFoldedIn) {
  google::rpc::BadRequest detail;
  auto* violation = detail.add_field_violations();
  violation->set_field("spec.composed[2].affinity");
  violation->set_description("CPU 99 does not exist");
  const absl::Status status =
      FromRpcStatus(WithDetail(grpc::StatusCode::INVALID_ARGUMENT, "bad spec", detail), "spawn");
  EXPECT_EQ(status.message(), "spawn: bad spec; spec.composed[2].affinity: CPU 99 does not exist");
}

TEST(RpcStatusTest, WhatTheMessageSaysIsNotSaidTwice) {
  google::rpc::BadRequest detail;
  auto* violation = detail.add_field_violations();
  violation->set_field("spec.comm");
  violation->set_description("has 16 bytes");
  const absl::Status status =
      FromRpcStatus(WithDetail(grpc::StatusCode::INVALID_ARGUMENT, "spec.comm has 16 bytes", detail), "spawn");
  EXPECT_EQ(status.message(), "spawn: spec.comm has 16 bytes");
}

TEST(RpcStatusTest, FailedPreconditionsAreFoldedIn) {
  google::rpc::PreconditionFailure detail;
  auto* violation = detail.add_violations();
  violation->set_type("CGROUP_CONTROLLER");
  violation->set_subject("cpuset");
  violation->set_description("bound to v1; boot with cgroup_no_v1=all");
  const absl::Status status =
      FromRpcStatus(WithDetail(grpc::StatusCode::FAILED_PRECONDITION, "cannot", detail), "make cg0");
  EXPECT_EQ(status.message(), "make cg0: cannot; CGROUP_CONTROLLER cpuset: bound to v1; boot with cgroup_no_v1=all");
}

TEST(RpcStatusTest, LimitsAreNamedWithTheirValue) {
  google::rpc::ErrorInfo detail;
  (*detail.mutable_metadata())["limit"] = "max_pools";
  (*detail.mutable_metadata())["value"] = "64";
  const absl::Status status = FromRpcStatus(WithDetail(grpc::StatusCode::RESOURCE_EXHAUSTED, "full", detail), "spawn");
  EXPECT_EQ(status.message(), "spawn: full; limit max_pools = 64");
}

TEST(RpcStatusTest, ProgramsCanReadTheDetailAgain) {
  google::rpc::BadRequest detail;
  detail.add_field_violations()->set_field("spec.nice");
  const absl::Status status = FromRpcStatus(WithDetail(grpc::StatusCode::INVALID_ARGUMENT, "x", detail), "spawn");
  const absl::optional<absl::Cord> payload = status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  ASSERT_TRUE(payload.has_value());
  google::rpc::BadRequest read;
  ASSERT_TRUE(read.ParseFromString(std::string(*payload)));
  EXPECT_EQ(read.field_violations(0).field(), "spec.nice");
}

TEST(RpcStatusTest, GarbageInPlaceOfDetailsIsIgnored) {
  const absl::Status status =
      FromRpcStatus(grpc::Status(grpc::StatusCode::INTERNAL, "oops", "\xff\xfe garbage"), "stop");
  EXPECT_EQ(status, absl::InternalError("stop: oops"));
}

}  // namespace
}  // namespace muster
