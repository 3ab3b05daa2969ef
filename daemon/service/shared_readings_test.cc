#include "daemon/service/shared_readings.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace muster {
namespace {

class SharedReadingsTest : public testing::Test {
 protected:
  // At `now_`; of any pool but "gone".
  absl::StatusOr<PoolSnapshot> Read(const std::string& pool_id) {
    ++reads_;
    if (pool_id == "gone") return absl::NotFoundError("no such pool");
    PoolSnapshot snapshot;
    snapshot.taken_at_ns = now_;
    return snapshot;
  }

  std::shared_ptr<const WatchReading> MustGet(const std::string& pool_id, uint64_t since_ns) {
    const absl::StatusOr<std::shared_ptr<const WatchReading>> reading = readings_.Since(pool_id, since_ns);
    EXPECT_TRUE(reading.ok()) << reading.status();
    return reading.ok() ? *reading : nullptr;
  }

  uint64_t now_ = 100;
  int reads_ = 0;
  SharedReadings readings_{[this](const std::string& pool_id) { return Read(pool_id); }};
};

TEST_F(SharedReadingsTest, WhoWasDueBeforeAReadingHasIt) {
  const auto first = MustGet("p", 90);
  EXPECT_EQ(MustGet("p", 100), first);
  EXPECT_EQ(reads_, 1);
}

TEST_F(SharedReadingsTest, WhoBecameDueAfterAReadingHasANewOne) {
  const auto first = MustGet("p", 100);
  now_ = 120;
  const auto second = MustGet("p", 101);
  EXPECT_EQ(second->taken().taken_at_ns, 120u);
  EXPECT_EQ(MustGet("p", 90), second);
  EXPECT_EQ(reads_, 2);
}

TEST_F(SharedReadingsTest, AReadingThatCameInLateDoesNotReplaceANewerOne) {
  now_ = 120;
  const auto newer = MustGet("p", 110);
  now_ = 100;
  const auto late = MustGet("p", 121);
  EXPECT_EQ(MustGet("p", 105), newer);
}

TEST_F(SharedReadingsTest, EachPoolHasItsOwn) {
  const auto of_p = MustGet("p", 90);
  EXPECT_NE(MustGet("q", 90), of_p);
  EXPECT_EQ(reads_, 2);
}

TEST_F(SharedReadingsTest, OneThatNobodyHoldsIsGone) {
  const std::weak_ptr<const WatchReading> first = MustGet("p", 90);
  EXPECT_TRUE(first.expired());
  MustGet("p", 90);
  EXPECT_EQ(reads_, 2);
}

TEST_F(SharedReadingsTest, ErrorsAreTheReadersAndAreNotKept) {
  EXPECT_TRUE(absl::IsNotFound(readings_.Since("gone", 90).status()));
  EXPECT_TRUE(absl::IsNotFound(readings_.Since("gone", 90).status()));
  EXPECT_EQ(reads_, 2);
}

}  // namespace
}  // namespace muster
