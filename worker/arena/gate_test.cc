#include "worker/arena/gate.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <numeric>
#include <set>
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
    words_ = std::vector<GateWord>(waiters);
    order_.resize(waiters);
    std::iota(order_.begin(), order_.end(), 0);
    woken_ = std::vector<std::atomic<bool>>(waiters);
    tids_ = std::vector<std::atomic<pid_t>>(waiters);
    threads_.resize(waiters);
  }
  Gate gate() { return {words_.data(), order_.data(), static_cast<uint32_t>(words_.size())}; }

  // The worker at a tree position; one that does not pass on stands for one that died in its first instructions.
  void StartAt(uint32_t position, bool passes_on = true) {
    const uint32_t worker = order_[position];
    threads_[worker] = std::thread([this, worker, position, passes_on] {
      tids_[worker] = gettid();
      const uint32_t value = WaitForChange(gate(), worker, 0);
      EXPECT_EQ(value & kGateOpenBit, kGateOpenBit);
      EXPECT_EQ(released_at_, 1) << "what was stored before the gate is visible behind it";
      woken_[worker] = true;
      if (passes_on) WakeChildren(gate(), position);
    });
  }
  void OpenGate() {
    released_at_ = 1;
    Open(gate());
  }
  uint32_t CountWoken() {
    uint32_t count = 0;
    for (const std::atomic<bool>& woken : woken_) count += woken;
    return count;
  }
  // Waits until a worker sleeps in the kernel at its gate word, and disturbs nobody: proc(5), /proc/PID/syscall.
  void AwaitAsleep(uint32_t worker) {
    const std::string asleep = absl::StrFormat("%d %#x ", SYS_futex, reinterpret_cast<uintptr_t>(&words_[worker]));
    while (true) {
      std::ifstream file("/proc/self/task/" + std::to_string(tids_[worker].load()) + "/syscall");
      std::string line;
      if (std::getline(file, line) && line.compare(0, asleep.size(), asleep) == 0) return;
      sched_yield();
    }
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
  // Wake-ups without an open word let nobody through.
  for (int round = 0; round < 10; ++round) {
    for (uint32_t worker = 0; worker < 3; ++worker) {
      AwaitAsleep(worker);
      EXPECT_EQ(FutexWake(&words_[worker], 1), 1);
    }
  }
  EXPECT_EQ(CountWoken(), 0u);
  OpenGate();
}

TEST_F(GateTest, TheOpenerWakesTheRootOnlyAndEachWorkerTheTwoBelowIt) {
  Make(7);
  order_ = {6, 5, 4, 3, 2, 1, 0};
  for (uint32_t position = 0; position < 7; ++position) StartAt(position, /*passes_on=*/position == 0);
  for (uint32_t worker = 0; worker < 7; ++worker) AwaitAsleep(worker);
  OpenGate();
  for (const uint32_t position : {0, 1, 2}) threads_[order_[position]].join();
  EXPECT_EQ(CountWoken(), 3u);
  // A wake-up that reaches somebody says that nobody else had woken that worker.
  for (const uint32_t position : {3, 4, 5, 6}) EXPECT_EQ(FutexWake(&words_[order_[position]], 1), 1) << position;
}

TEST_F(GateTest, AWorkerWhoseWakerIsDeadIsWokenByHand) {
  Make(3);
  order_ = {0, 1, 2};
  StartAt(1);
  StartAt(2);
  AwaitAsleep(1);
  AwaitAsleep(2);
  OpenGate();
  WakeOne(gate(), 1);
  WakeOne(gate(), 2);
  threads_[1].join();
  threads_[2].join();
  EXPECT_EQ(CountWoken(), 2u);
}

TEST_F(GateTest, AnOpenGateHoldsNobody) {
  Make(1);
  OpenGate();
  Open(gate());
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
  threads_[1] = std::thread([&] { seen = WaitForChange(gate(), 1, 0); });
  AskForSetup(gate(), 1);
  threads_[1].join();
  EXPECT_EQ(seen, kGateSetupStep);
  EXPECT_EQ(words_[0].load(), 0u);
  OpenGate();
  EXPECT_EQ(words_[1].load(), kGateSetupStep | kGateOpenBit) << "the count stays";
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
  EXPECT_EQ(WaitForChange(gate(), 0, 0, &soon), 0u);
}

TEST_F(GateTest, EveryPositionOfTheTreeHasOneWaker) {
  for (const uint32_t waiters : {1u, 2u, 3u, 10u, 1'000u}) {
    std::multiset<uint64_t> woken;
    for (uint64_t position = 0; position < waiters; ++position) {
      for (const uint64_t child : {2 * position + 1, 2 * position + 2}) {
        if (child < waiters) woken.insert(child);
      }
    }
    EXPECT_EQ(woken.size(), waiters - 1u);
    EXPECT_EQ(std::set<uint64_t>(woken.begin(), woken.end()).size(), waiters - 1u);
  }
}

}  // namespace
}  // namespace muster::arena
