#include "worker/arena/arrivals.h"

#include <thread>
#include <vector>

#include "base/clock.h"
#include "gtest/gtest.h"

namespace muster::arena {
namespace {

constexpr uint64_t kFarNs = 60'000'000'000;

TEST(CrossingTest, TheLastToPassLetsAllGo) {
  Crossing crossing = {};
  std::atomic<int> gone{0};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    Pass(crossing, 4);
    waiting.emplace_back([&] {
      AwaitPassing(crossing, MonotonicNs() + kFarNs, nullptr);
      EXPECT_EQ(crossing.passed.load(), 4u);
      ++gone;
    });
  }
  EXPECT_EQ(gone, 0);
  EXPECT_EQ(crossing.clear.load(), 0u);
  Pass(crossing, 4);
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(gone, 3);
}

TEST(CrossingTest, NobodyWaitsBeyondTheBound) {
  Crossing crossing = {};
  const uint64_t bound_ns = MonotonicNs() + 2'000'000;
  AwaitPassing(crossing, bound_ns, nullptr);
  EXPECT_GE(MonotonicNs(), bound_ns);
  AwaitPassing(crossing, 0, nullptr);
  EXPECT_EQ(crossing.clear.load(), 0u);
}

TEST(CrossingTest, AStopEndsTheWait) {
  Crossing crossing = {};
  const std::atomic<uint32_t> stop{1};
  AwaitPassing(crossing, MonotonicNs() + kFarNs, &stop);
  EXPECT_EQ(crossing.clear.load(), 0u);
}

TEST(CrossingTest, TheBoundGrowsWithTheWorkersOfACpuUpToASecond) {
  EXPECT_EQ(LongestPassingNs(3, 2), 5'300'000u);
  EXPECT_EQ(LongestPassingNs(100, 1), 25'000'000u);
  EXPECT_EQ(LongestPassingNs(100'000, 2), 1'000'000'000u);
}

}  // namespace
}  // namespace muster::arena
