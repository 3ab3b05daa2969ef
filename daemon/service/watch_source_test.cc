#include "daemon/service/watch_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <vector>

#include "base/clock.h"
#include "base/error_detail.h"
#include "base/event.h"
#include "daemon/service/encoding.h"

namespace muster {
namespace {

constexpr uint64_t kPeriodNs = 10'000'000;

// A pool of two workers whose counters are set by hand.
class WatchSourceTest : public testing::Test {
 protected:
  WatchSourceTest() {
    request_.set_pool_id("p1");
    request_.mutable_period()->set_nanos(kPeriodNs);
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

  absl::StatusOr<std::shared_ptr<const WatchReading>> Read(const std::string& pool_id, uint64_t since_ns) {
    MutexLock lock(&mutex_);
    if (gone_ || pool_id != "p1") return absl::NotFoundError("no such pool");
    since_ns_.push_back(since_ns);
    now_.taken_at_ns = MonotonicNs();
    return std::make_shared<const WatchReading>(now_);
  }

  absl::Status Begin() {
    begun_ns_ = MonotonicNs();
    encoded_request_ = Encode(request_);
    source_ = std::make_unique<WatchSource>(
        &encoded_request_, WatchParts{[this](const std::string& id, uint64_t since_ns) { return Read(id, since_ns); },
                                      timers_.get(), &hub_});
    return source_->Begin({}, [this] {
      MutexLock lock(&mutex_);
      ++wakes_;
      changed_.NotifyAll();
    });
  }

  // Its update is in update_.
  absl::StatusOr<StreamStep> Next() {
    absl::StatusOr<StreamStep> step = source_->Next(&encoded_update_);
    if (step.ok() && *step == StreamStep::kMessage) {
      EXPECT_EQ(Decode(encoded_update_, &update_), absl::OkStatus());
    }
    return step;
  }

  // Waits for a wake after `seen` of them.
  bool AwaitWake(int seen) {
    const auto deadline = SteadyDeadline(absl::Seconds(20));
    MutexLock lock(&mutex_);
    while (wakes_ <= seen) {
      if (!changed_.WaitUntil(&mutex_, deadline)) return false;
    }
    return true;
  }

  int wakes() {
    MutexLock lock(&mutex_);
    return wakes_;
  }

  // The next update, whenever it comes.
  v1::WatchUpdate MustGet() {
    while (true) {
      const int seen = wakes();
      const absl::StatusOr<StreamStep> step = Next();
      EXPECT_TRUE(step.ok()) << step.status();
      if (step.ok() && *step == StreamStep::kMessage) return update_;
      EXPECT_TRUE(AwaitWake(seen)) << "no reading became due";
      if (testing::Test::HasFailure()) return {};
    }
  }

  // Returns when that much time has passed since Begin.
  void AwaitTimeSinceBegin(std::chrono::nanoseconds time) {
    Event passed;
    const TimerQueue::TimePoint begun{std::chrono::nanoseconds(begun_ns_)};
    const TimerQueue::Timer timer = timers_->At(begun + time, [&passed] { passed.Set(); });
    EXPECT_TRUE(passed.Wait(Deadline::After(absl::Seconds(20))));
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
  grpc::ByteBuffer encoded_request_;
  v1::WatchUpdate update_;
  grpc::ByteBuffer encoded_update_;
  WatchHub hub_;
  std::unique_ptr<TimerQueue> timers_ = *TimerQueue::Start();
  std::unique_ptr<WatchSource> source_;
};

TEST_F(WatchSourceTest, TheFirstReadingComesAtOnceAndCountsFromZero) {
  request_.mutable_period()->set_seconds(3600);
  request_.mutable_period()->set_nanos(0);
  Set(5, 7);
  ASSERT_TRUE(Begin().ok());
  ASSERT_EQ(*Next(), StreamStep::kMessage);
  EXPECT_EQ(update_.iterations_delta(0), 5u);
  EXPECT_EQ(update_.work_units_delta(1), 7u * 1024);
  EXPECT_EQ(update_.states(0), v1::RUNNING);
  EXPECT_EQ(update_.last_cpus(0), -1);
  EXPECT_EQ(update_.ages_ns(1), 5u);
  EXPECT_EQ(update_.merged(), 0u);
  EXPECT_FALSE(update_.final());
  EXPECT_EQ(*Next(), StreamStep::kWait);
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
  EXPECT_EQ(*Next(), StreamStep::kEnd);
}

TEST_F(WatchSourceTest, ReadingsThatASlowReaderMissedAreMergedAndCounted) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  AwaitTimeSinceBegin(std::chrono::milliseconds(30));
  Set(50, 60);
  ASSERT_EQ(*Next(), StreamStep::kMessage);
  // The first one, and at least three more, in one message.
  EXPECT_GE(update_.merged(), 3u);
  EXPECT_EQ(update_.iterations_delta(1), 60u);
}

TEST_F(WatchSourceTest, ASourceThatDoesNotWaitIsNotWoken) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  AwaitTimeSinceBegin(std::chrono::milliseconds(30));
  EXPECT_EQ(wakes(), 0);
}

TEST_F(WatchSourceTest, ReadingsAreDueAtMultiplesOfThePeriodAndNoneComesTwice) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  MustGet();
  EXPECT_GE(since_ns_.back(), begun_ns_);
  for (int i = 0; i < 3; ++i) {
    const uint64_t last_ns = update_.taken_at_ns();
    MustGet();
    EXPECT_GT(since_ns_.back(), last_ns);
    // Later only when the last one was late.
    EXPECT_TRUE(since_ns_.back() % kPeriodNs == 0 || since_ns_.back() == last_ns + 1) << since_ns_.back();
  }
}

TEST_F(WatchSourceTest, AResumedWatchCountsFromWhatIsKnown) {
  for (const uint64_t known : {4, 7}) request_.add_known_iterations(known);
  Set(5, 7);
  ASSERT_TRUE(Begin().ok());
  ASSERT_EQ(*Next(), StreamStep::kMessage);
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
  EXPECT_EQ(*Next(), StreamStep::kEnd);
}

TEST_F(WatchSourceTest, APoolThatIsDroppedEndsTheWatchAsNotFound) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  MustGet();
  SetGone();
  hub_.End("p1");
  EXPECT_EQ(Next().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(WatchSourceTest, AWatchThatIsGoneIsNotWoken) {
  Set(1, 1);
  ASSERT_TRUE(Begin().ok());
  source_.reset();
  hub_.End("p1");
  EXPECT_EQ(wakes(), 0);
}

}  // namespace
}  // namespace muster
