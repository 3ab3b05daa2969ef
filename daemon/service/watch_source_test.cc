#include "daemon/service/watch_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <vector>

#include "base/clock.h"
#include "base/error_detail.h"
#include "base/event.h"

namespace muster {
namespace {

// A pool of two workers whose counters are set by hand.
class WatchSourceTest : public testing::Test {
 protected:
  WatchSourceTest() {
    request_.set_pool_id("p1");
    request_.mutable_period()->set_nanos(10'000'000);
  }

  void Set(uint64_t first, uint64_t second, bool final = false) {
    MutexLock lock(&mutex_);
    now_.iterations = {first, second};
    now_.work_units = {first * 1024, second * 1024};
    now_.states = {WorkerState::kRunning, WorkerState::kRunning};
    now_.last_cpus = {-1, 1};
    now_.ages_ns = {0, 5};
    now_.final = final;
    gone_ = false;
  }
  void SetGone() {
    MutexLock lock(&mutex_);
    gone_ = true;
  }

  absl::StatusOr<std::shared_ptr<const PoolSnapshot>> Read(const std::string& pool_id, uint64_t since_ns) {
    MutexLock lock(&mutex_);
    if (gone_ || pool_id != "p1") return absl::NotFoundError("no such pool");
    since_ns_.push_back(since_ns);
    now_.taken_at_ns = MonotonicNs();
    return std::make_shared<const PoolSnapshot>(now_);
  }

  absl::Status Begin() {
    begun_ns_ = MonotonicNs();
    source_ = std::make_unique<WatchSource>(
        &request_, WatchParts{[this](const std::string& id, uint64_t since_ns) { return Read(id, since_ns); }, &timers_, &hub_});
    return source_->Begin({}, [this] {
      MutexLock lock(&mutex_);
      ++wakes_;
      changed_.NotifyAll();
    });
  }

  // Waits until `count` readings became due after the first.
  bool AwaitDue(int count) {
    const auto deadline = SteadyDeadline(absl::Seconds(20));
    MutexLock lock(&mutex_);
    while (wakes_ < count) {
      if (!changed_.WaitUntil(&mutex_, deadline)) return false;
    }
    return true;
  }

  // The next update, whenever it comes.
  v1::WatchUpdate MustGet() {
    int seen = 0;
    while (true) {
      const absl::StatusOr<StreamStep> step = source_->Next(&update_);
      EXPECT_TRUE(step.ok()) << step.status();
      if (step.ok() && *step == StreamStep::kMessage) return update_;
      EXPECT_TRUE(AwaitDue(++seen)) << "no reading became due";
      if (testing::Test::HasFailure()) return {};
    }
  }

  Mutex mutex_;
  CondVar changed_;
  PoolSnapshot now_;
  // Of each reading asked for.
  std::vector<uint64_t> since_ns_;
  uint64_t begun_ns_ = 0;
  bool gone_ = true;
  int wakes_ = 0;
  v1::WatchRequest request_;
  v1::WatchUpdate update_;
  WatchHub hub_;
  TimerQueue timers_;
  std::unique_ptr<WatchSource> source_;
};

TEST_F(WatchSourceTest, TheFirstReadingComesAtOnceAndCountsFromZero) {
  request_.mutable_period()->set_seconds(3600);
  request_.mutable_period()->set_nanos(0);
  Set(5, 7);
  ASSERT_TRUE(Begin().ok());
  ASSERT_EQ(*source_->Next(&update_), StreamStep::kMessage);
  EXPECT_EQ(update_.iterations_delta(0), 5u);
  EXPECT_EQ(update_.work_units_delta(1), 7u * 1024);
  EXPECT_EQ(update_.states(0), v1::RUNNING);
  EXPECT_EQ(update_.last_cpus(0), -1);
  EXPECT_EQ(update_.ages_ns(1), 5u);
  EXPECT_EQ(update_.merged(), 0u);
  EXPECT_FALSE(update_.final());
  EXPECT_EQ(*source_->Next(&update_), StreamStep::kWait);
}

TEST_F(WatchSourceTest, TheDeltasAddUpToTheFinalTotals) {
  Set(0, 0);
  ASSERT_TRUE(Begin().ok());
  std::vector<uint64_t> sums(2);
  for (uint64_t step = 1; step <= 20; ++step) {
    Set(step * 3, step * step, /*final=*/step == 20);
    const v1::WatchUpdate update = MustGet();
    for (int worker = 0; worker < 2; ++worker) sums[worker] += update.iterations_delta(worker);
    EXPECT_EQ(update.final(), step == 20);
  }
  EXPECT_EQ(sums, (std::vector<uint64_t>{60, 400}));
  EXPECT_EQ(*source_->Next(&update_), StreamStep::kEnd);
}

TEST_F(WatchSourceTest, ReadingsThatASlowReaderMissedAreMergedAndCounted) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  ASSERT_TRUE(AwaitDue(3));
  Set(50, 60);
  ASSERT_EQ(*source_->Next(&update_), StreamStep::kMessage);
  // The first one, and at least three more, in one message.
  EXPECT_GE(update_.merged(), 3u);
  EXPECT_EQ(update_.iterations_delta(1), 60u);
}

TEST_F(WatchSourceTest, AReadingIsNotOlderThanItIsDueAndNoneComesTwice) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(AwaitDue(i));
    const uint64_t before_ns = i == 1 ? 0 : update_.taken_at_ns();
    ASSERT_EQ(*source_->Next(&update_), StreamStep::kMessage);
    EXPECT_GT(since_ns_.back(), before_ns);
    EXPECT_GE(since_ns_.back(), begun_ns_ + i * 10'000'000);
  }
}

TEST_F(WatchSourceTest, AResumedWatchCountsFromWhatIsKnown) {
  for (const uint64_t known : {4, 7}) request_.add_known_iterations(known);
  Set(5, 7);
  ASSERT_TRUE(Begin().ok());
  ASSERT_EQ(*source_->Next(&update_), StreamStep::kMessage);
  EXPECT_EQ(update_.iterations_delta(0), 1u);
  EXPECT_EQ(update_.iterations_delta(1), 0u);
  EXPECT_EQ(update_.work_units_delta(0), 5u * 1024);
}

TEST_F(WatchSourceTest, KnownTotalsOfAnotherPoolAreRefused) {
  Set(5, 7);
  request_.add_known_iterations(1);
  EXPECT_EQ(FieldOf(Begin()), "known_iterations");
  request_.add_known_iterations(8);
  EXPECT_EQ(FieldOf(Begin()), "known_iterations[1]");
}

TEST_F(WatchSourceTest, APeriodOutOfRangeIsRefused) {
  Set(5, 7);
  request_.mutable_period()->set_nanos(9'999'999);
  EXPECT_EQ(FieldOf(Begin()), "period");
  request_.mutable_period()->set_seconds(3600);
  request_.mutable_period()->set_nanos(1);
  EXPECT_EQ(FieldOf(Begin()), "period");
}

TEST_F(WatchSourceTest, AMissingPoolIsNotFound) { EXPECT_EQ(Begin().code(), absl::StatusCode::kNotFound); }

TEST_F(WatchSourceTest, TheEndIsToldWithinTheLongestPeriod) {
  request_.mutable_period()->set_seconds(3600);
  request_.mutable_period()->set_nanos(0);
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  MustGet();
  Set(10, 20, /*final=*/true);
  hub_.End("p1");
  const v1::WatchUpdate last = MustGet();
  EXPECT_TRUE(last.final());
  EXPECT_EQ(last.iterations_delta(1), 19u);
}

TEST_F(WatchSourceTest, TheLastReadingSurvivesThePool) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  MustGet();
  Set(10, 20, /*final=*/true);
  hub_.End("p1");
  SetGone();
  EXPECT_EQ(MustGet().iterations_delta(0), 9u);
  EXPECT_EQ(*source_->Next(&update_), StreamStep::kEnd);
}

TEST_F(WatchSourceTest, APoolThatIsDroppedEndsTheWatchAsNotFound) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  MustGet();
  SetGone();
  hub_.End("p1");
  EXPECT_EQ(source_->Next(&update_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(WatchSourceTest, AWatchThatIsGoneIsNotWoken) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  source_.reset();
  wakes_ = 0;
  hub_.End("p1");
  EXPECT_EQ(wakes_, 0);
}

}  // namespace
}  // namespace muster
