#include "worker/parts/matrix.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace muster {
namespace {

TEST(MatrixWork, FillsItsFootprintWithThreeSquares) {
  EXPECT_EQ(MatrixWork::Make(256)->side(), 104u);
  EXPECT_EQ(MatrixWork::Make(1)->side(), 6u);
}

TEST(MatrixWork, MultipliesExactly) {
  absl::StatusOr<MatrixWork> work = MatrixWork::Make(1);
  ASSERT_TRUE(work.ok());
  EXPECT_TRUE(work->Multiply([] { return false; }));
  uint64_t sum = 0;
  for (uint64_t k = 0; k < 6; ++k) sum += (2 * 6 + k) * (36 + k * 6 + 5);
  EXPECT_EQ(work->product(2, 5), sum);
}

TEST(MatrixWork, SeveralThreadsMultiplyTheSameMatricesExactly) {
  absl::StatusOr<MatrixWork> work = MatrixWork::Make(1);
  ASSERT_TRUE(work.ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&work] {
      for (int round = 0; round < 100; ++round) EXPECT_TRUE(work->MultiplyShared([] { return false; }));
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint64_t sum = 0;
  for (uint64_t k = 0; k < 6; ++k) sum += (2 * 6 + k) * (36 + k * 6 + 5);
  EXPECT_EQ(work->product(2, 5), sum);
}

TEST(MatrixWork, EndsBetweenTwoElementsWhenAskedTo) {
  for (const bool shared : {false, true}) {
    absl::StatusOr<MatrixWork> work = MatrixWork::Make(1);
    ASSERT_TRUE(work.ok());
    int looks = 0;
    const auto stopping = [&looks] { return ++looks > 8; };
    EXPECT_FALSE(shared ? work->MultiplyShared(stopping) : work->Multiply(stopping));
    EXPECT_NE(work->product(1, 1), 0u) << "the eighth of rows of 6";
    EXPECT_EQ(work->product(1, 2), 0u);
  }
}

}  // namespace
}  // namespace muster
