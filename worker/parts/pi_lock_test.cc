#include "worker/parts/pi_lock.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <vector>

#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

pid_t Tid() { return static_cast<pid_t>(syscall(SYS_gettid)); }

TEST(PiLock, KeepsHoldersApart) {
  PiLock lock{};
  // Not on the stack, which the address sanitizer aligns less.
  const auto header = std::make_unique<arena::Header>();
  uint64_t guarded = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&lock, &header, &guarded] {
      MeterFixture record({}, 1, header.get());
      Meter meter(record.target());
      for (int round = 0; round < 5'000; ++round) {
        ASSERT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kLocked);
        ++guarded;
        lock.Unlock(Tid());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(guarded, 15'000u);
  EXPECT_FALSE(lock.IsHeld());
}

TEST(PiLock, AWaiterThatTheStopEndsDoesNotReleaseTheHoldersLock) {
  PiLock lock{};
  // Not on the stack, which the address sanitizer aligns less.
  const auto header = std::make_unique<arena::Header>();
  MeterFixture record({}, 1, header.get());
  Meter meter(record.target());
  ASSERT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kLocked);
  std::thread waiter([&lock, &header] {
    MeterFixture own({}, 1, header.get());
    Meter own_meter(own.target());
    EXPECT_EQ(lock.Lock(own_meter, Tid()), PiLock::Outcome::kStopped);
  });
  header->stop.store(1);
  waiter.join();
  EXPECT_TRUE(lock.IsHeld());
  lock.Unlock(Tid());
  EXPECT_FALSE(lock.IsHeld());
}

TEST(PiLock, ALockThatTheCallerHoldsAlreadyIsAFailureAndNoHang) {
  PiLock lock{};
  MeterFixture record({});
  Meter meter(record.target());
  ASSERT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kLocked);
  EXPECT_EQ(lock.Lock(meter, Tid()), PiLock::Outcome::kFailed);
}

}  // namespace
}  // namespace muster
