#include "base/error_detail.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(ErrorDetail, AFieldErrorNamesItsFieldInWordsAndAsAValue) {
  const absl::Status status = FieldError("composed[2].affinity", "is empty; name a CPU");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "composed[2].affinity: is empty; name a CPU");
  EXPECT_EQ(FieldOf(status), "composed[2].affinity");
}

TEST(ErrorDetail, APrefixChangesThePathAndNotTheWords) {
  const absl::Status status = PrefixField(FieldError("nice", "is 20"), "spec.");
  EXPECT_EQ(FieldOf(status), "spec.nice");
  EXPECT_EQ(status.message(), "nice: is 20");
}

TEST(ErrorDetail, ALimitErrorCarriesNameAndValue) {
  const absl::Status status = LimitError("max_pools", 64, "no room for another pool");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "no room for another pool (limit max_pools is 64)");
  ASSERT_TRUE(LimitOf(status).has_value());
  EXPECT_EQ(LimitOf(status)->name, "max_pools");
  EXPECT_EQ(LimitOf(status)->value, 64);
}

TEST(ErrorDetail, APreconditionCarriesTypeAndSubject) {
  const absl::Status status = PreconditionError({"CGROUP_CONTROLLER", "cpuset"}, "cpuset is bound to v1");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(PreconditionOf(status).has_value());
  EXPECT_EQ(PreconditionOf(status)->type, "CGROUP_CONTROLLER");
  EXPECT_EQ(PreconditionOf(status)->subject, "cpuset");
}

TEST(ErrorDetail, AnnotatingKeepsCodeAndDetails) {
  const absl::Status status = Annotate(FieldError("nice", "is 20"), "spawn");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "spawn: nice: is 20");
  EXPECT_EQ(FieldOf(status), "nice");
}

TEST(ErrorDetail, OtherStatusesCarryNothing) {
  EXPECT_FALSE(FieldOf(absl::InvalidArgumentError("x")).has_value());
  EXPECT_FALSE(LimitOf(absl::OkStatus()).has_value());
  EXPECT_FALSE(PreconditionOf(absl::InternalError("x")).has_value());
  EXPECT_TRUE(PrefixField(absl::OkStatus(), "spec.").ok());
}

}  // namespace
}  // namespace muster
