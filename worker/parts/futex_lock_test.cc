#include "worker/parts/futex_lock.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

class FutexLockTest : public testing::Test {
 protected:
  // A meter for each thread of a test, on one stop word.
  std::unique_ptr<MeterFixture> Record() {
    return std::make_unique<MeterFixture>(arena::WorkerShape{.stream_set = kWakeSamples, .sample_capacity = 10}, 1,
                                          &header_);
  }

  arena::Header header_{};
  FutexLock lock_{};
};

TEST_F(FutexLockTest, KeepsHoldersApart) {
  constexpr int kThreads = 4;
  constexpr uint64_t kRounds = 20'000;
  uint64_t guarded = 0;
  std::vector<std::unique_ptr<MeterFixture>> records;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) records.push_back(Record());
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, &guarded, &records, i] {
      Meter meter(records[i]->target());
      for (uint64_t round = 0; round < kRounds; ++round) {
        ASSERT_TRUE(lock_.Lock(meter));
        ++guarded;
        lock_.Unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(guarded, kThreads * kRounds);
  EXPECT_FALSE(lock_.IsHeld());
}

TEST_F(FutexLockTest, AWaiterThatTheStopEndsDoesNotReleaseTheHoldersLock) {
  const std::unique_ptr<MeterFixture> holder_record = Record();
  const std::unique_ptr<MeterFixture> waiter_record = Record();
  Meter holder(holder_record->target());
  ASSERT_TRUE(lock_.Lock(holder));
  std::thread waiter([this, &waiter_record] {
    Meter meter(waiter_record->target());
    EXPECT_FALSE(lock_.Lock(meter));
  });
  header_.stop.store(1);
  waiter.join();
  EXPECT_TRUE(lock_.IsHeld());
  EXPECT_EQ(waiter_record->store(arena::kWake).head->total.load(), 0u);
}

}  // namespace
}  // namespace muster
