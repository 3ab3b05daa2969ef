#include "worker/parts/cache_walk.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(CacheWalk, ChangesOneByteInEveryStrideAndNoOther) {
  absl::StatusOr<CacheWalk> walk = CacheWalk::Make(1, 64);
  ASSERT_TRUE(walk.ok());
  walk->Take(32);  // twice around 1,024 bytes
  for (int i = 0; i < 1024; ++i) {
    EXPECT_EQ(static_cast<int>(walk->data()[i]), i % 64 == 0 ? 3 : 1) << i;
  }
}

TEST(CacheWalk, WrapsWithAStrideThatDoesNotDivideTheSize) {
  absl::StatusOr<CacheWalk> walk = CacheWalk::Make(1, 1000);
  ASSERT_TRUE(walk.ok());
  walk->Take(3);
  EXPECT_EQ(static_cast<int>(walk->data()[0]), 2);
  EXPECT_EQ(static_cast<int>(walk->data()[1000]), 2);
  EXPECT_EQ(static_cast<int>(walk->data()[976]), 2);
}

TEST(CacheWalk, TakesAStrideAboveTheSizeModuloTheSize) {
  absl::StatusOr<CacheWalk> walk = CacheWalk::Make(1, 2048 + 3);
  ASSERT_TRUE(walk.ok());
  walk->Take(2);
  EXPECT_EQ(static_cast<int>(walk->data()[3]), 2);
}

TEST(CacheWalk, CannotStepWithoutABufferOrAStride) {
  EXPECT_FALSE(CacheWalk::Make(0, 64)->can_step());
  EXPECT_FALSE(CacheWalk::Make(32, 0)->can_step());
  EXPECT_TRUE(CacheWalk::Make(32, 64)->can_step());
}

}  // namespace
}  // namespace muster
