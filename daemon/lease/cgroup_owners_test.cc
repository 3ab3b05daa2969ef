#include "daemon/lease/cgroup_owners.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "base/error_detail.h"

namespace muster {
namespace {

using Names = std::vector<std::string>;

class CgroupOwnersTest : public testing::Test {
 protected:
  void MustClaim(const std::string& name, const std::string& lease, bool keep = false) {
    const absl::Status status = owners_.Claim({name, lease, keep});
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(owners_.Settle({name, lease, keep}));
  }

  CgroupOwners owners_{4};
};

TEST_F(CgroupOwnersTest, ACgroupGoesWithItsLease) {
  MustClaim("a", "L1");
  MustClaim("b", "L2");
  EXPECT_TRUE(owners_.BeginRemoveUnclaimed().empty());
  owners_.EndLease("L1");
  EXPECT_EQ(owners_.BeginRemoveUnclaimed(), Names{"a"});
  EXPECT_TRUE(owners_.BeginRemoveUnclaimed().empty()) << "named twice";
}

TEST_F(CgroupOwnersTest, ACgroupOfTwoLeasesGoesWithTheLast) {
  MustClaim("a", "L1");
  MustClaim("a", "L2");
  owners_.EndLease("L1");
  EXPECT_TRUE(owners_.BeginRemoveUnclaimed().empty());
  owners_.EndLease("L2");
  EXPECT_EQ(owners_.BeginRemoveUnclaimed(), Names{"a"});
}

TEST_F(CgroupOwnersTest, AKeptCgroupStaysUntilAnybodyRemovesIt) {
  MustClaim("a", "L1", /*keep=*/true);
  EXPECT_EQ(owners_.BeginRemove("a", "L2").code(), absl::StatusCode::kPermissionDenied);
  owners_.EndLease("L1");
  EXPECT_TRUE(owners_.BeginRemoveUnclaimed().empty());
  EXPECT_TRUE(owners_.BeginRemove("a", "L2").ok());
}

TEST_F(CgroupOwnersTest, WhatEndsWithALeaseIsTold) {
  MustClaim("a", "L1");
  MustClaim("b/c", "L1", /*keep=*/true);
  MustClaim("b", "L1");
  MustClaim("b/d", "L1");
  for (const char* name : {"a", "a/any", "b/d"}) {
    const absl::Status status = owners_.CheckOutlivesLeases(name);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << name;
    EXPECT_TRUE(absl::StrContains(status.message(), "goes with the lease")) << status;
  }
  // b stays for the sake of b/c.
  for (const char* name : {"b/c", "b", "b/any", "nobodys", "ab", ""}) {
    EXPECT_TRUE(owners_.CheckOutlivesLeases(name).ok()) << name;
  }
}

TEST_F(CgroupOwnersTest, LeavesGoBeforeWhatIsAboveThem) {
  MustClaim("a", "L1");
  MustClaim("a/b", "L1");
  MustClaim("a-b", "L1");
  MustClaim("a/b/c", "L1");
  owners_.EndLease("L1");
  const Names names = owners_.BeginRemoveUnclaimed();
  ASSERT_EQ(names.size(), 4u);
  const auto at = [&](const char* name) { return std::find(names.begin(), names.end(), name); };
  EXPECT_LT(at("a/b/c"), at("a/b"));
  EXPECT_LT(at("a/b"), at("a"));
}

TEST_F(CgroupOwnersTest, WhatIsAboveAnothersCgroupStaysWithIt) {
  MustClaim("a", "L1");
  MustClaim("a/b", "L2");
  owners_.EndLease("L1");
  EXPECT_TRUE(owners_.BeginRemoveUnclaimed().empty());
  owners_.EndLease("L2");
  EXPECT_EQ(owners_.BeginRemoveUnclaimed(), (Names{"a/b", "a"}));
}

TEST_F(CgroupOwnersTest, RemovingTakesAllBelowAndNeedsThemAll) {
  MustClaim("a", "L1");
  MustClaim("a/b", "L2");
  EXPECT_EQ(owners_.BeginRemove("a", "L1").code(), absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(owners_.BeginRemove("a", std::nullopt).ok());
  const std::vector<CgroupClaim> claims = owners_.EndRemove("a", true);
  ASSERT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[0].lease_id, "L1");
  EXPECT_EQ(claims[1].name, "a/b");
  EXPECT_EQ(owners_.BeginRemove("a/b", std::nullopt).code(), absl::StatusCode::kNotFound);
}

TEST_F(CgroupOwnersTest, ACgroupThatIsBeingRemovedCannotBeClaimedNorRemovedAgain) {
  MustClaim("a", "L1");
  ASSERT_TRUE(owners_.BeginRemove("a", "L1").ok());
  EXPECT_EQ(owners_.Claim({"a", "L2"}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(owners_.Claim({"a/b", "L2"}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(owners_.BeginRemove("a", "L1").code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(owners_.EndRemove("a", /*removed=*/false).empty());
  EXPECT_TRUE(owners_.BeginRemove("a", "L1").ok());
}

TEST_F(CgroupOwnersTest, AnUnclaimedFailureLeavesNothing) {
  ASSERT_TRUE(owners_.Claim({"a", "L1"}).ok());
  owners_.Unclaim({"a", "L1"});
  EXPECT_EQ(owners_.BeginRemove("a", std::nullopt).code(), absl::StatusCode::kNotFound);
  MustClaim("b", "L1");
  MustClaim("b", "L2", true);
  owners_.Unclaim({"b", "L2", true});
  owners_.EndLease("L1");
  EXPECT_EQ(owners_.BeginRemoveUnclaimed(), Names{"b"});
}

TEST_F(CgroupOwnersTest, ARemovalThatComesFirstLeavesWhatIsBeingMadeRemovable) {
  ASSERT_TRUE(owners_.Claim({"a", "L1"}).ok());
  owners_.EndLease("L1");
  EXPECT_EQ(owners_.BeginRemoveUnclaimed(), Names{"a"});
  // It was not there yet.
  EXPECT_TRUE(owners_.EndRemove("a", /*removed=*/true).empty());
  EXPECT_FALSE(owners_.Settle({"a", "L1"}));
  EXPECT_EQ(owners_.BeginRemoveUnclaimed(), Names{"a"});
  EXPECT_TRUE(owners_.EndRemove("a", true).empty());
  EXPECT_TRUE(owners_.BeginRemoveUnclaimed().empty());
}

TEST_F(CgroupOwnersTest, OneMadeDuringARemovalStaysItsMakers) {
  ASSERT_TRUE(owners_.Claim({"a", "L1"}).ok());
  ASSERT_TRUE(owners_.BeginRemove("a", "L1").ok());
  EXPECT_TRUE(owners_.Settle({"a", "L1"}));
  EXPECT_TRUE(owners_.EndRemove("a", true).empty());
  ASSERT_TRUE(owners_.BeginRemove("a", "L1").ok());
  EXPECT_EQ(owners_.EndRemove("a", true).size(), 1u);
}

TEST_F(CgroupOwnersTest, OneMadeAfterARemovalTookItsClaimIsLostAndRemovable) {
  MustClaim("a", "L1");
  ASSERT_TRUE(owners_.Claim({"a", "L2"}).ok());
  ASSERT_TRUE(owners_.BeginRemove("a", "L1").ok());
  EXPECT_EQ(owners_.EndRemove("a", true).size(), 2u);
  EXPECT_FALSE(owners_.Settle({"a", "L2"}));
  EXPECT_EQ(owners_.BeginRemoveUnclaimed(), Names{"a"});
}

TEST_F(CgroupOwnersTest, AFailureDoesNotHideWhatAnEndedLeaseHasMade) {
  MustClaim("a", "L1");
  ASSERT_TRUE(owners_.Claim({"a", "L2"}).ok());
  owners_.EndLease("L1");
  owners_.Unclaim({"a", "L2"});
  EXPECT_EQ(owners_.BeginRemoveUnclaimed(), Names{"a"});
}

TEST_F(CgroupOwnersTest, TheLimitCountsCgroupsAndNotClaims) {
  for (const char* name : {"a", "b", "c", "d"}) MustClaim(name, "L1");
  MustClaim("a", "L2");
  const absl::Status status = owners_.Claim({"e", "L1"});
  ASSERT_TRUE(LimitOf(status).has_value());
  EXPECT_EQ(LimitOf(status)->name, "max_cgroups");
}

}  // namespace
}  // namespace muster
