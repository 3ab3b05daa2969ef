#include "base/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "base/event.h"

namespace muster {
namespace {

bool Await(const Event& event) { return event.Wait(Deadline::After(absl::Seconds(20))); }

TEST(Executor, BlockedTasksDoNotHoldBackOthersWhileThreadsMayBeMade) {
  Event blocked, ran;
  Executor executor({.name = "test", .max_threads = 3, .max_queued = 8});
  ASSERT_TRUE(executor.Submit([&] { Await(blocked); }));
  ASSERT_TRUE(executor.Submit([&] { Await(blocked); }));
  ASSERT_TRUE(executor.Submit([&] { ran.Set(); }));
  EXPECT_TRUE(Await(ran));
  blocked.Set();
}

TEST(Executor, RefusesWhatNeitherAThreadNorTheQueueCanTake) {
  Event blocked, running;
  std::atomic<int> done = 0;
  {
    Executor executor({.name = "test", .max_threads = 1, .max_queued = 2});
    ASSERT_TRUE(executor.Submit([&] { running.Set(), Await(blocked); }));
    ASSERT_TRUE(Await(running));
    EXPECT_TRUE(executor.Submit([&] { ++done; }));
    EXPECT_TRUE(executor.Submit([&] { ++done; }));
    EXPECT_FALSE(executor.Submit([&] { ++done; }));
    blocked.Set();
  }
  EXPECT_EQ(done, 2);
}

TEST(Executor, RunsTasksInOrderOnOneThread) {
  std::vector<int> order;
  {
    Executor executor({.name = "test", .max_threads = 1, .max_queued = 100});
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(executor.Submit([&order, i] { order.push_back(i); }));
  }
  ASSERT_EQ(order.size(), 50u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Executor, AnIdleThreadIsUsedBeforeANewOneIsMade) {
  Mutex mutex;
  std::set<std::thread::id> ids;
  Executor executor({.name = "test", .max_threads = 8, .max_queued = 8});
  for (int i = 0; i < 20; ++i) {
    Event ran;
    ASSERT_TRUE(executor.Submit([&] {
      MutexLock lock(&mutex);
      ids.insert(std::this_thread::get_id());
      ran.Set();
    }));
    ASSERT_TRUE(Await(ran));
  }
  // The thread that set the event may not be idle again when the next task comes: two, seldom three.
  EXPECT_LE(ids.size(), 4u);
}

TEST(Executor, WhatATaskHoldsIsGoneWhenTheExecutorIs) {
  auto held = std::make_shared<int>(1);
  {
    Executor executor({.name = "test", .max_threads = 2, .max_queued = 8});
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(executor.Submit([held] {}));
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Executor, ManySubmittersLoseNothing) {
  std::atomic<int> done = 0;
  {
    Executor executor({.name = "test", .max_threads = 4, .max_queued = 10'000});
    std::vector<std::thread> submitters;
    for (int i = 0; i < 4; ++i) {
      submitters.emplace_back([&] {
        for (int k = 0; k < 500; ++k) ASSERT_TRUE(executor.Submit([&] { ++done; }));
      });
    }
    for (std::thread& submitter : submitters) submitter.join();
  }
  EXPECT_EQ(done, 2000);
}

}  // namespace
}  // namespace muster
