#include "worker/arena/gate.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"

namespace muster::arena {
namespace {

// Waiters are threads that do what workers do.
class GateTest : public testing::Test {
 protected:
  ~GateTest() override {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  void Make(uint32_t waiters) {
    words_ = std::vector<GateWord>(waiters + NumCallWords(waiters));
    order_.resize(waiters);
    std::iota(order_.begin(), order_.end(), 0);
    woken_ = std::vector<std::atomic<bool>>(waiters);
    tids_ = std::vector<std::atomic<pid_t>>(waiters);
    threads_.resize(waiters);
  }
  Gate gate() { return {words_.data(), static_cast<uint32_t>(order_.size())}; }

  // The worker at a tree position; one that does not pass on stands for one that died in its first instructions.
  void StartAt(uint32_t position, bool passes_on = true) {
    const uint32_t worker = order_[position];
    threads_[worker] = std::thread([this, worker, position, passes_on] {
      tids_[worker] = gettid();
      const uint32_t value = WaitForChange(gate(), {worker, position}, 0);
      EXPECT_EQ(value & kGateOpenBit, kGateOpenBit);
      EXPECT_EQ(released_at_, 1) << "what was stored before the gate is visible behind it";
      woken_[worker] = true;
      if (passes_on) WakeChildren(gate(), position);
    });
  }
  void OpenGate() {
    released_at_ = 1;
    Open(gate(), order_.data());
  }
  uint32_t CountWoken() {
    uint32_t count = 0;
    for (const std::atomic<bool>& woken : woken_) count += woken;
    return count;
  }
  // Waits until the worker at a position sleeps in the kernel at its call word, and disturbs nobody: proc(5),
  // /proc/PID/syscall.
  void AwaitAsleep(uint32_t position) {
    const uint32_t worker = order_[position];
    const std::string asleep =
        absl::StrFormat("%d %#x ", SYS_futex, reinterpret_cast<uintptr_t>(&gate().CallAt(position)));
    while (true) {
      std::ifstream file("/proc/self/task/" + std::to_string(tids_[worker].load()) + "/syscall");
      std::string line;
      if (std::getline(file, line) && line.compare(0, asleep.size(), asleep) == 0) return;
      sched_yield();
    }
  }

  // How often the worker at a position has gone to sleep: proc(5), /proc/PID/status.
  std::string Sleeps(uint32_t position) {
    std::ifstream file("/proc/self/task/" + std::to_string(tids_[order_[position]].load()) + "/status");
    std::string line;
    while (std::getline(file, line) && line.rfind("voluntary_ctxt_switches:", 0) != 0) {
    }
    return line;
  }

  int released_at_ = 0;
  std::vector<GateWord> words_;
  std::vector<uint32_t> order_;
  std::vector<std::atomic<bool>> woken_;
  std::vector<std::atomic<pid_t>> tids_;
  std::vector<std::thread> threads_;
};

TEST_F(GateTest, OneCallOpensItForAThousand) {
  constexpr uint32_t kWaiters = 1'000;
  Make(kWaiters);
  for (uint32_t position = 0; position < kWaiters; ++position) StartAt(position);
  OpenGate();
  for (std::thread& thread : threads_) thread.join();
  EXPECT_EQ(CountWoken(), kWaiters);
}

TEST_F(GateTest, NobodyPassesBeforeItIsOpen) {
  Make(3);
  for (uint32_t position = 0; position < 3; ++position) StartAt(position);
  for (uint32_t position = 0; position < 3; ++position) AwaitAsleep(position);
  // Wake-ups without an open word let nobody through.
  for (int round = 0; round < 10; ++round) {
    const std::vector<std::string> before = {Sleeps(0), Sleeps(1), Sleeps(2)};
    EXPECT_EQ(FutexWake(&gate().CallAt(0), kWakeFanOut), 1);
    EXPECT_EQ(FutexWake(&gate().CallBelow(0), kWakeFanOut), 2);
    // One who was woken and has not run since still looks asleep.
    for (uint32_t position = 0; position < 3; ++position) {
      while (Sleeps(position) == before[position]) sched_yield();
    }
  }
  EXPECT_EQ(CountWoken(), 0u);
  OpenGate();
}

TEST_F(GateTest, TheOpenerWakesTheRootOnlyAndEachWorkerTheEightBelowIt) {
  constexpr uint32_t kWaiters = 1 + kWakeFanOut + kWakeFanOut + 3;
  Make(kWaiters);
  std::reverse(order_.begin(), order_.end());
  for (uint32_t position = 0; position < kWaiters; ++position) StartAt(position, /*passes_on=*/position == 0);
  for (uint32_t position = 0; position < kWaiters; ++position) AwaitAsleep(position);
  OpenGate();
  for (uint32_t position = 0; position <= kWakeFanOut; ++position) threads_[order_[position]].join();
  EXPECT_EQ(CountWoken(), 1 + kWakeFanOut);
  // A wake-up that reaches somebody says that nobody else had woken that worker.
  EXPECT_EQ(FutexWake(&gate().CallBelow(1), kWaiters), static_cast<int>(kWakeFanOut));
  EXPECT_EQ(FutexWake(&gate().CallBelow(2), kWaiters), 3);
}

TEST_F(GateTest, AWorkerWhoseWakerIsDeadIsWokenByHand) {
  Make(3);
  order_ = {0, 1, 2};
  StartAt(1);
  StartAt(2);
  AwaitAsleep(1);
  AwaitAsleep(2);
  OpenGate();
  WakeAt(gate(), 1);
  threads_[1].join();
  threads_[2].join();
  EXPECT_EQ(CountWoken(), 2u);
}

TEST_F(GateTest, AnOpenGateHoldsNobody) {
  Make(1);
  OpenGate();
  OpenGate();
  StartAt(0);
  threads_[0].join();
  EXPECT_EQ(CountWoken(), 1u);
}

TEST_F(GateTest, AnEmptyGateCanBeOpened) {
  Make(0);
  OpenGate();
}

TEST_F(GateTest, AskingForSetupWakesOneAndDoesNotOpen) {
  Make(2);
  uint32_t seen = 0;
  threads_[1] = std::thread([&] { seen = WaitForChange(gate(), {1, 1}, 0); });
  AskForSetup(gate(), {1, 1});
  threads_[1].join();
  EXPECT_EQ(seen, kGateSetupStep);
  EXPECT_EQ(words_[0].load(), 0u);
  OpenGate();
  EXPECT_EQ(words_[1].load(), kGateSetupStep | kGateOpenBit) << "the count stays";
}

TEST_F(GateTest, WhoSleepsBesideAnAskedWorkerSleepsOn) {
  Make(3);
  StartAt(2);
  AwaitAsleep(2);
  AskForSetup(gate(), {1, 1});
  AwaitAsleep(2);
  EXPECT_EQ(words_[2].load(), 0u);
  EXPECT_EQ(CountWoken(), 0u);
  OpenGate();
  WakeChildren(gate(), 0);
}

// Who looked at his own word just before its change falls asleep only where his call word is still what it was.
TEST_F(GateTest, EveryChangeOfAWordChangesTheWordAtWhichItsWorkerSleeps) {
  constexpr uint32_t kWaiters = 2 * kWakeFanOut + 2;
  Make(kWaiters);
  for (uint32_t position = 0; position < kWaiters; ++position) {
    const uint32_t heard = gate().CallAt(position).load();
    AskForSetup(gate(), {order_[position], position});
    EXPECT_NE(gate().CallAt(position).load(), heard) << position;
  }
  std::vector<uint32_t> heard;
  for (uint32_t position = 0; position < kWaiters; ++position) heard.push_back(gate().CallAt(position).load());
  OpenGate();
  for (uint32_t position = 0; position < kWaiters; ++position) {
    EXPECT_NE(gate().CallAt(position).load(), heard[position]) << position;
  }
}

// One who was not asleep passes as soon as his own word is open, and wakes those below him once.
TEST_F(GateTest, WhoIsLetGoFindsAllBelowHimLetGo) {
  constexpr uint32_t kWaiters = 20'000;
  for (int round = 0; round < 20; ++round) {
    Make(kWaiters);
    uint32_t below = 0;
    uint32_t call = 0;
    std::atomic<bool> looks{false};
    threads_.resize(1);
    threads_[0] = std::thread([&] {
      looks = true;
      while (words_[0].load(std::memory_order_acquire) == 0) {
      }
      for (uint32_t position = 1; position < kWaiters; ++position) below += words_[position].load() & kGateOpenBit;
      call = gate().CallBelow(0).load();
    });
    while (!looks) sched_yield();
    OpenGate();
    threads_[0].join();
    ASSERT_EQ(below, kWaiters - 1);
    ASSERT_EQ(call, 1u);
  }
}

TEST_F(GateTest, ANewSetupIsHeardHoweverSoonItIsAskedFor) {
  constexpr uint32_t kSetups = 5'000;
  Make(2);
  std::atomic<uint32_t> heard{0};
  threads_[1] = std::thread([&] {
    for (uint32_t seen = 0; seen < kSetups * kGateSetupStep; heard = seen) seen = WaitForChange(gate(), {1, 1}, seen);
  });
  for (uint32_t setup = 1; setup <= kSetups; ++setup) {
    AskForSetup(gate(), {1, 1});
    while (heard != setup * kGateSetupStep) sched_yield();
  }
}

TEST_F(GateTest, RaisingTheStopWakesAllWhoWaitForIt) {
  std::atomic<uint32_t> stop{0};
  threads_.resize(3);
  std::atomic<uint32_t> waiting{0};
  for (std::thread& thread : threads_) {
    thread = std::thread([&] {
      ++waiting;
      while (stop.load() == 0) FutexWait(&stop, 0, nullptr);
    });
  }
  while (waiting != 3) sched_yield();
  RaiseStop(&stop);
  for (std::thread& thread : threads_) thread.join();
  EXPECT_EQ(stop.load(), 1u);
}

TEST_F(GateTest, ATimeoutEndsTheWait) {
  Make(1);
  const timespec soon = {0, 1'000'000};
  EXPECT_EQ(WaitForChange(gate(), {0, 0}, 0, &soon), 0u);
}

TEST_F(GateTest, EachCallWordIsOneWakersAndLiesBehindTheGateWords) {
  for (const uint32_t waiters : {1u, 2u, 8u, 9u, 10u, 17u, 18u, 1'000u}) {
    Make(waiters);
    std::map<const GateWord*, uint32_t> sleepers;
    for (uint32_t position = 0; position < waiters; ++position) ++sleepers[&gate().CallAt(position)];
    EXPECT_EQ(sleepers.size(), NumCallWords(waiters));
    EXPECT_EQ(sleepers[&gate().CallAt(0)], 1u) << "the root's is its own";
    for (const auto& [call, count] : sleepers) {
      EXPECT_LE(count, kWakeFanOut);
      EXPECT_GE(call, &words_[waiters]);
      EXPECT_LE(call, &words_.back());
    }
  }
}

}  // namespace
}  // namespace muster::arena
