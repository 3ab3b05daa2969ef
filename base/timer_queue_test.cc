#include "base/timer_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "base/event.h"
#include "base/no_threads_testing.h"

namespace muster {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(TimerQueue, CallsInTheOrderOfTheInstants) {
  const std::unique_ptr<TimerQueue> queue = *TimerQueue::Start();
  std::vector<int> order;
  Event done;
  const auto now = steady_clock::now();
  const auto third = queue->At(now + milliseconds(30), [&] { order.push_back(3), done.Set(); });
  const auto first = queue->At(now + milliseconds(10), [&] { order.push_back(1); });
  const auto second = queue->At(now + milliseconds(20), [&] { order.push_back(2); });
  ASSERT_TRUE(done.Wait(Deadline::After(absl::Seconds(20))));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(TimerQueue, WithoutRoomForAThreadThereIsNone) {
  const NoThreadsForTesting full;
  const absl::Status status = TimerQueue::Start().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST(TimerQueue, NeverCallsEarly) {
  const std::unique_ptr<TimerQueue> queue = *TimerQueue::Start();
  Event done;
  const auto when = steady_clock::now() + milliseconds(20);
  steady_clock::time_point called;
  const auto timer = queue->At(when, [&] { called = steady_clock::now(), done.Set(); });
  ASSERT_TRUE(done.Wait(Deadline::After(absl::Seconds(20))));
  EXPECT_GE(called, when);
}

TEST(TimerQueue, AResetTimerDoesNotCall) {
  const std::unique_ptr<TimerQueue> queue = *TimerQueue::Start();
  std::atomic<bool> called = false;
  Event later;
  const auto now = steady_clock::now();
  auto taken_back = queue->At(now + milliseconds(20), [&] { called = true; });
  const auto control = queue->At(now + milliseconds(40), [&] { later.Set(); });
  taken_back.Reset();
  ASSERT_TRUE(later.Wait(Deadline::After(absl::Seconds(20))));
  EXPECT_FALSE(called);
}

TEST(TimerQueue, ResetWaitsForACallbackThatRuns) {
  const std::unique_ptr<TimerQueue> queue = *TimerQueue::Start();
  Event entered, resetting;
  std::atomic<bool> returned = false;
  auto timer = queue->At(steady_clock::now(), [&] {
    entered.Set();
    resetting.Wait(Deadline::After(absl::Milliseconds(50)));
    returned = true;
  });
  ASSERT_TRUE(entered.Wait(Deadline::After(absl::Seconds(20))));
  timer.Reset();
  EXPECT_TRUE(returned);
}

TEST(TimerQueue, ACallbackMayTakeItselfBackAndSetAnother) {
  const std::unique_ptr<TimerQueue> queue = *TimerQueue::Start();
  Event done;
  TimerQueue::Timer timer;
  Event assigned;
  timer = queue->At(steady_clock::now(), [&] {
    ASSERT_TRUE(assigned.Wait(Deadline::After(absl::Seconds(20))));
    timer = queue->At(steady_clock::now(), [&] { done.Set(); });
  });
  assigned.Set();
  EXPECT_TRUE(done.Wait(Deadline::After(absl::Seconds(20))));
}

TEST(TimerQueue, WhatIsDueAtTheEndIsNotCalled) {
  std::atomic<bool> called = false;
  auto held = std::make_shared<int>(0);
  {
    TimerQueue::Timer timer;
    const std::unique_ptr<TimerQueue> queue = *TimerQueue::Start();
    timer = queue->At(steady_clock::now() + std::chrono::hours(1), [&called, held] { called = true; });
    timer.Reset();
    EXPECT_EQ(held.use_count(), 1);
  }
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace muster
