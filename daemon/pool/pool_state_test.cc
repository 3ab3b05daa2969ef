#include "daemon/pool/pool_state.h"

#include <gtest/gtest.h>

#include <string>

namespace muster {
namespace {

constexpr PoolState kAll[] = {PoolState::kSpawning, PoolState::kReady,     PoolState::kStarted,
                              PoolState::kStopping, PoolState::kCollected, PoolState::kDropped};

TEST(PoolStateTest, EveryStateButDroppedMayBeDropped) {
  for (PoolState from : kAll) EXPECT_EQ(MayMove(from, PoolState::kDropped), from != PoolState::kDropped);
}

TEST(PoolStateTest, NoMoveGoesBack) {
  for (PoolState from : kAll) {
    for (PoolState to : kAll) {
      const bool is_back = static_cast<int>(to) <= static_cast<int>(from);
      EXPECT_FALSE(is_back && MayMove(from, to)) << PoolStateName(from);
    }
  }
}

TEST(PoolStateTest, StoppingIsReachedThroughStartedOnly) {
  for (PoolState from : kAll) EXPECT_EQ(MayMove(from, PoolState::kStopping), from == PoolState::kStarted);
}

TEST(PoolStateTest, AHostThatDiesCollectsFromAnyLiveState) {
  for (PoolState from : {PoolState::kReady, PoolState::kStarted, PoolState::kStopping}) {
    EXPECT_TRUE(MayMove(from, PoolState::kCollected));
  }
}

TEST(PoolStateTest, NamesAreThoseOfTheContract) { EXPECT_STREQ(PoolStateName(PoolState::kStarted), "STARTED"); }

}  // namespace
}  // namespace muster
