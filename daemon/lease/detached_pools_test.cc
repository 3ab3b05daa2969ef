#include "daemon/lease/detached_pools.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

bool NothingIsGone(const std::string&) { return false; }

TEST(DetachedPools, OnlyTheLeaseOfTheSpawnMaySpeakForIt) {
  DetachedPools pools;
  pools.Add("p1", {"L1", "secret1"}, NothingIsGone);
  EXPECT_TRUE(pools.Check("p1", {"L1", "secret1"}).ok());
  EXPECT_EQ(pools.Check("p1", {"L1", "secret2"}).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(pools.Check("p1", {"L2", "secret1"}).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(pools.Check("p2", {"L1", "secret1"}).code(), absl::StatusCode::kNotFound);
}

TEST(DetachedPools, ARefusalTellsNoSecret) {
  DetachedPools pools;
  pools.Add("p1", {"L1", "secret1"}, NothingIsGone);
  EXPECT_EQ(pools.Check("p1", {"L1", "x"}).message().find("secret1"), absl::string_view::npos);
}

TEST(DetachedPools, PoolsThatAreGoneAreForgottenWithTheNextOne) {
  DetachedPools pools;
  pools.Add("p1", {"L1", "secret1"}, NothingIsGone);
  pools.Add("p2", {"L1", "secret1"}, [](const std::string& id) { return id == "p1"; });
  EXPECT_EQ(pools.Check("p1", {"L1", "secret1"}).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(pools.Check("p2", {"L1", "secret1"}).ok());
}

}  // namespace
}  // namespace muster
