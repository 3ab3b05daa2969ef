#include "worker/parts/shared_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "base/test_run.h"

namespace muster {
namespace {

// A queue in zeroed memory of its own.
class SharedQueueTest : public testing::TestWithParam<uint32_t> {
 protected:
  SharedQueue& Make(uint32_t depth) {
    memory_ = std::make_unique<Line[]>(SharedQueue::BytesFor(depth) / sizeof(Line) + 1);
    SharedQueue& queue = *reinterpret_cast<SharedQueue*>(memory_.get());
    queue.set_depth(depth);
    return queue;
  }

 private:
  struct alignas(64) Line {
    char bytes[64];
  };
  std::unique_ptr<Line[]> memory_;
};

TEST_P(SharedQueueTest, HoldsExactlyItsDepthInOrder) {
  const uint32_t depth = GetParam();
  SharedQueue& queue = Make(depth);
  uint64_t item = 0;
  for (uint64_t round = 0; round < 5; ++round) {
    EXPECT_FALSE(queue.Pop(&item));
    for (uint64_t i = 0; i < depth; ++i) EXPECT_TRUE(queue.Push(round * 100 + i));
    EXPECT_FALSE(queue.Push(0));
    for (uint64_t i = 0; i < depth; ++i) {
      ASSERT_TRUE(queue.Pop(&item));
      EXPECT_EQ(item, round * 100 + i);
    }
  }
}

TEST_P(SharedQueueTest, ManyConsumersTakeEveryItemOnce) {
  constexpr uint64_t kProducers = 3;
  constexpr uint64_t kConsumers = 3;
  constexpr uint64_t kMostItems = kUnderTsan ? 2'000 : 20'000;  // it sees every access anyway
  // In a short queue nearly each is a context switch, and on a busy machine a time slice of somebody else's.
  const uint64_t items = std::min<uint64_t>(kMostItems, 500 * GetParam());
  SharedQueue& queue = Make(GetParam());
  std::vector<std::atomic<uint32_t>> taken(kProducers * items);
  std::atomic<uint64_t> left{kProducers * items};
  std::vector<std::thread> threads;
  for (uint64_t p = 0; p < kProducers; ++p) {
    threads.emplace_back([&queue, p, items] {
      for (uint64_t i = 0; i < items; ++i) {
        while (!queue.Push(p * items + i)) std::this_thread::yield();
      }
    });
  }
  for (uint64_t c = 0; c < kConsumers; ++c) {
    threads.emplace_back([&queue, &taken, &left] {
      uint64_t item = 0;
      while (left != 0) {
        if (!queue.Pop(&item)) {
          std::this_thread::yield();
          continue;
        }
        ++taken[item];
        --left;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::atomic<uint32_t>& count : taken) ASSERT_EQ(count, 1u);
}

INSTANTIATE_TEST_SUITE_P(Depths, SharedQueueTest, testing::Values(1, 2, 7, 64));

}  // namespace
}  // namespace muster
