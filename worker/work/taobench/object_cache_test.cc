#include "worker/work/taobench/object_cache.h"

#include <map>

#include "gtest/gtest.h"
#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

class ObjectCacheTest : public testing::Test {
 protected:
  MeterFixture record_{{}};
  Meter stop_{record_.target()};
};

TEST_F(ObjectCacheTest, HoldsWhatWasFilledAndNothingElse) {
  ObjectCache cache(64 << 20);
  EXPECT_FALSE(cache.Lookup(stop_, 5));
  cache.Fill(stop_, 5);
  EXPECT_TRUE(cache.Lookup(stop_, 5));
  EXPECT_FALSE(cache.Lookup(stop_, 6));
}

TEST_F(ObjectCacheTest, NeverHoldsMoreThanItsCapacityAndForgetsTheOldest) {
  constexpr uint64_t kCapacity = 32 << 20;
  ObjectCache cache(kCapacity);
  const uint64_t keys = 3 * cache.capacity_objects();
  for (uint64_t key = 0; key < keys; ++key) cache.Fill(stop_, key);
  EXPECT_LE(cache.bytes(), kCapacity);
  EXPECT_GT(cache.bytes(), kCapacity / 2);
  uint64_t old_hits = 0;
  uint64_t new_hits = 0;
  for (uint64_t i = 0; i < 1'000; ++i) {
    old_hits += cache.Lookup(stop_, i);
    new_hits += cache.Lookup(stop_, keys - 1 - i);
  }
  EXPECT_EQ(old_hits, 0u);
  EXPECT_GT(new_hits, 950u);
}

TEST_F(ObjectCacheTest, AWarmOneIsNearlyFull) {
  ObjectCache cache(32 << 20);
  cache.Warm();
  EXPECT_GT(cache.bytes(), (32u << 20) * 8 / 10);
  EXPECT_LE(cache.bytes(), 32u << 20);
  uint64_t hits = 0;
  for (uint64_t key = 0; key < cache.capacity_objects(); ++key) hits += cache.Lookup(stop_, key);
  EXPECT_GT(hits * 10, cache.capacity_objects() * 8);
}

TEST_F(ObjectCacheTest, SizesFollowTheirWeights) {
  std::map<uint32_t, uint64_t> counts;
  for (uint64_t key = 0; key < 996'000; ++key) ++counts[ObjectBytes(key)];
  ASSERT_EQ(counts.size(), 8u);
  EXPECT_NEAR(counts[64], 450'000, 5'000);
  EXPECT_NEAR(counts[1024], 30'000, 1'000);
  EXPECT_NEAR(counts[65536], 1'000, 200);
}

}  // namespace
}  // namespace muster
