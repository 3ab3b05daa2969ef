#include "worker/host/release_watch.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "base/clock.h"
#include "gtest/gtest.h"

namespace muster::host {
namespace {

// Three levels: the root, eight below it, and the others below those.
constexpr uint32_t kWorkers = 40;
// Looks in a row that the workers' common count may stand in for.
constexpr int kBelieved = 9;

// How many sleep at a futex word: the kernel moves them from the word to the same word, and counts them.
int SleepersAt(const arena::GateWord& word) {
  return static_cast<int>(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 0, INT_MAX, &word, word.load()));
}

// A pool without workers: the test says how far each has come, and somebody sleeps where they would.
class ReleaseWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<UniqueFd> fd = arena::Arena::Create(std::vector<arena::WorkerShape>(kWorkers));
    ASSERT_TRUE(fd.ok()) << fd.status();
    absl::StatusOr<arena::Arena> map = arena::Arena::Map(fd->get(), arena::Arena::Access::kPoolHost);
    ASSERT_TRUE(map.ok()) << map.status();
    live_.arena = *std::move(map);
    absl::StatusOr<Board> board = Board::Create(kWorkers);
    ASSERT_TRUE(board.ok()) << board.status();
    live_.board = *std::move(board);
    for (uint32_t worker = 0; worker < kWorkers; ++worker) SetState(worker, arena::State::kReady);
  }

  void TearDown() override {
    for (const uint32_t position : sleeping_below_) arena::FutexWake(&live_.gate().CallBelow(position), 1);
    for (std::thread& sleeper : sleepers_) sleeper.join();
  }

  // The wake order of a new arena is that of the workers, so that a worker's number is its position.
  void SetState(uint32_t worker, arena::State state) { live_.arena.live(worker).state = state; }
  void LetDie(uint32_t worker) { live_.arena.host(worker).exit = arena::Exit::kSignaled; }
  // What workers do who say that they have passed, whether they have or not.
  void MoveCount() { ++live_.board.head().arrivals.started.passed; }

  void SleepBelow(uint32_t position) {
    sleeping_below_.push_back(position);
    const arena::GateWord& call = live_.gate().CallBelow(position);
    sleepers_.emplace_back([&call] { arena::FutexWait(&call, 0, nullptr); });
    while (SleepersAt(call) == 0) sched_yield();
  }
  bool IsWokenBelow(uint32_t position) const { return SleepersAt(live_.gate().CallBelow(position)) == 0; }

  // The next look, when it is due.
  void Look() {
    const timespec due = ToTimespec(watch_.next_look_ns());
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr) != 0) {
    }
    watch_.Look(live_);
  }

  LivePool live_;
  ReleaseWatch watch_;

 private:
  std::vector<uint32_t> sleeping_below_;
  std::vector<std::thread> sleepers_;
};

TEST_F(ReleaseWatchTest, WhenNobodyComesThroughTheFirstLookWakesThoseBelowWhoeverIsHeld) {
  SleepBelow(0);
  watch_.Begin(live_);
  EXPECT_FALSE(IsWokenBelow(0)) << "whoever is alive wakes them himself";
  Look();
  EXPECT_TRUE(IsWokenBelow(0));
}

TEST_F(ReleaseWatchTest, ACountThatMovesStandsForALookAtEachWorkerButNotForever) {
  SleepBelow(0);
  watch_.Begin(live_);
  for (int look = 0; look <= kBelieved; ++look) {
    ASSERT_FALSE(IsWokenBelow(0)) << "before look " << look;
    MoveCount();
    Look();
  }
  EXPECT_TRUE(IsWokenBelow(0)) << "nobody has come through, whatever the count says";
}

TEST_F(ReleaseWatchTest, ADeathIsLookedAtAlthoughTheCountMoves) {
  SleepBelow(1);
  SetState(0, arena::State::kRunning);
  watch_.Begin(live_);
  LetDie(1);
  MoveCount();
  Look();
  ASSERT_FALSE(IsWokenBelow(1)) << "the count was believed";
  watch_.NoteDeath();
  MoveCount();
  Look();
  EXPECT_TRUE(IsWokenBelow(1));
}

TEST_F(ReleaseWatchTest, ThoseBelowOneWhoDiedAtTheGateAreWokenAtOnce) {
  SleepBelow(0);
  LetDie(0);
  watch_.Begin(live_);
  EXPECT_TRUE(IsWokenBelow(0));
}

TEST_F(ReleaseWatchTest, WhoeverStillComesThroughKeepsTheOthersFromBeingWokenInACrowd) {
  SleepBelow(1);
  SetState(0, arena::State::kRunning);
  watch_.Begin(live_);
  for (int look = 0; look <= kBelieved; ++look) {
    MoveCount();
    Look();
  }
  EXPECT_FALSE(IsWokenBelow(1)) << "one more is through than at the look before";
  Look();
  EXPECT_TRUE(IsWokenBelow(1)) << "nobody is, since then";
}

TEST_F(ReleaseWatchTest, ItEndsWhenAllAreThrough) {
  watch_.Begin(live_);
  for (uint32_t worker = 0; worker < kWorkers; ++worker) SetState(worker, arena::State::kRunning);
  Look();
  EXPECT_EQ(watch_.next_look_ns(), UINT64_MAX);
}

}  // namespace
}  // namespace muster::host
