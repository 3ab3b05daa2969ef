#include "worker/host/shared_view.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <utility>
#include <vector>

#include "base/test_run.h"
#include "gtest/gtest.h"

namespace muster::host {
namespace {

// So many that gate and call words stand in many pages.
constexpr uint32_t kWorkers = 40'000;

class SharedViewTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<UniqueFd> fd = arena::Arena::Create(std::vector<arena::WorkerShape>(kWorkers));
    ASSERT_TRUE(fd.ok()) << fd.status();
    absl::StatusOr<arena::Arena> arena = arena::Arena::Map(fd->get(), arena::Arena::Access::kPoolHost);
    ASSERT_TRUE(arena.ok()) << arena.status();
    arena_ = *std::move(arena);
    absl::StatusOr<SharedView> view = SharedView::Map(fd->get(), arena_);
    ASSERT_TRUE(view.ok()) << view.status();
    view_ = *std::move(view);
  }

  arena::Arena arena_;
  SharedView view_;
};

// Page faults of this thread that needed no disk.
int64_t Faults() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt;
}

TEST_F(SharedViewTest, ShowsWhatIsStoredIntoTheArena) {
  arena_.header().stop = 5;
  arena_.gate()[kWorkers - 1] = 6;
  EXPECT_EQ(view_.header().stop.load(), 5u);
  EXPECT_EQ(view_.gate().num_workers, kWorkers);
  EXPECT_EQ(view_.gate().words[kWorkers - 1].load(), 6u);
}

TEST_F(SharedViewTest, CannotBeMadeWritable) {
  void* const base = const_cast<arena::Header*>(&view_.header());
  EXPECT_EQ(mprotect(base, arena::kPageBytes, PROT_READ | PROT_WRITE), -1);
  EXPECT_EQ(errno, EACCES);
}

// What a worker reads between the gate and its siblings' wake-up.
TEST_F(SharedViewTest, WhatWasTouchedCostsNoPageFaultAfterwards) {
  if (kUnderSanitizer) GTEST_SKIP() << "a sanitizer touches its own memory of each access, which may be a page fault";
  constexpr uint32_t kPosition = 4'000;
  ASSERT_TRUE(view_.gate().HasBelow(kPosition));
  view_.Touch(kPosition);
  Faults();
  const int64_t before = Faults();
  const uint64_t sum = view_.header().stop.load() + view_.gate().CallBelow(kPosition).load();
  EXPECT_EQ(Faults() - before, 0);
  EXPECT_EQ(sum, 0u);
}

}  // namespace
}  // namespace muster::host
