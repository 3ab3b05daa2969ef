#include "daemon/service/request_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/error_detail.h"
#include "base/event.h"
#include "muster/v1/muster.pb.h"

namespace muster {
namespace {

bool Await(const Event& event) { return event.Wait(Deadline::After(absl::Seconds(20))); }

class RequestCacheTest : public testing::Test {
 protected:
  // Runs a Drop of `pool` whose act counts itself and answers `status`.
  absl::Status Drop(const std::string& request_id, const std::string& pool, absl::Status status = absl::OkStatus()) {
    v1::DropRequest message;
    message.set_request_id(request_id);
    message.set_pool_id(pool);
    response_.Clear();
    return cache_.Run({"Drop", lease_, request_id, &message}, context_, &response_, [&] {
      ++acts_;
      response_.set_existed(true);
      return status;
    });
  }

  std::string lease_ = "L1";
  CallContext context_;
  v1::DropResponse response_;
  int acts_ = 0;
  RequestCache::TimePoint now_ = RequestCache::TimePoint() + std::chrono::hours(1);
  RequestCache cache_{{.request_retention = absl::Minutes(1), .max_retained_requests = 3}, [this] { return now_; }};
};

TEST_F(RequestCacheTest, ARetryGetsTheFirstAnswerAndActsNoMore) {
  ASSERT_TRUE(Drop("r1", "p1").ok());
  ASSERT_TRUE(Drop("r1", "p1").ok());
  EXPECT_TRUE(response_.existed());
  EXPECT_EQ(acts_, 1);
}

TEST_F(RequestCacheTest, RetentionWithoutEndKeepsAnswers) {
  RequestCache cache({.request_retention = absl::InfiniteDuration()}, [this] { return now_; });
  const v1::DropRequest message;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(cache
                    .Run({"Drop", lease_, "r1", &message}, context_, &response_,
                         [&] {
                           ++acts_;
                           return absl::OkStatus();
                         })
                    .ok());
  }
  EXPECT_EQ(acts_, 1);
}

TEST_F(RequestCacheTest, WithoutAnIdEveryCallActs) {
  ASSERT_TRUE(Drop("", "p1").ok());
  ASSERT_TRUE(Drop("", "p1").ok());
  EXPECT_EQ(acts_, 2);
}

TEST_F(RequestCacheTest, ADefiniteErrorIsAnAnswerWithItsDetails) {
  EXPECT_FALSE(Drop("r1", "p1", FieldError("pool_id", "is odd")).ok());
  const absl::Status again = Drop("r1", "p1");
  EXPECT_EQ(FieldOf(again), "pool_id");
  EXPECT_EQ(acts_, 1);
}

TEST_F(RequestCacheTest, AnIndefiniteOutcomeIsNotKept) {
  EXPECT_FALSE(Drop("r1", "p1", absl::CancelledError("gone")).ok());
  EXPECT_TRUE(Drop("r1", "p1").ok());
  EXPECT_EQ(acts_, 2);
}

TEST_F(RequestCacheTest, TheSameIdForAnotherMessageIsRefusedByName) {
  ASSERT_TRUE(Drop("r1", "p1").ok());
  const absl::Status status = Drop("r1", "p2");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FieldOf(status), "request_id");
  EXPECT_EQ(acts_, 1);
}

TEST_F(RequestCacheTest, IdsOfDifferentLeasesDoNotMeet) {
  ASSERT_TRUE(Drop("r1", "p1").ok());
  lease_ = "L2";
  EXPECT_TRUE(Drop("r1", "p2").ok());
  EXPECT_EQ(acts_, 2);
}

TEST_F(RequestCacheTest, AnswersAreForgottenAfterTheirTime) {
  ASSERT_TRUE(Drop("r1", "p1").ok());
  now_ += std::chrono::seconds(59);
  ASSERT_TRUE(Drop("r1", "p1").ok());
  EXPECT_EQ(acts_, 1);
  now_ += std::chrono::seconds(1);
  ASSERT_TRUE(Drop("r1", "p1").ok());
  EXPECT_EQ(acts_, 2);
}

TEST_F(RequestCacheTest, TheOldestAnswerGivesWay) {
  for (const char* id : {"r1", "r2", "r3", "r4"}) ASSERT_TRUE(Drop(id, "p1").ok());
  ASSERT_TRUE(Drop("r2", "p1").ok());
  EXPECT_EQ(acts_, 4) << "a newer answer was forgotten";
  ASSERT_TRUE(Drop("r1", "p1").ok());
  EXPECT_EQ(acts_, 5) << "four answers are kept where three may be";
}

TEST_F(RequestCacheTest, LargeAnswersAreBoundedByTheirBytes) {
  RequestCache cache({.max_retained_request_bytes = 100'000}, [this] { return now_; });
  int acts = 0;
  const auto spawn = [&](const std::string& id) {
    v1::SpawnRequest message;
    v1::SpawnResponse response;
    return cache.Run({"Spawn", "L1", id, &message}, context_, &response, [&] {
      ++acts;
      response.set_pool_id(std::string(60'000, 'p'));
      return absl::OkStatus();
    });
  };
  ASSERT_TRUE(spawn("r1").ok());
  ASSERT_TRUE(spawn("r2").ok());
  ASSERT_TRUE(spawn("r2").ok());
  EXPECT_EQ(acts, 2);
  ASSERT_TRUE(spawn("r1").ok());
  EXPECT_EQ(acts, 3);
}

// Three calls of which the bytes leave room for one answer: whether the first is still kept after the second.
class RequestCacheBytesTest : public testing::Test {
 protected:
  bool KeepsTwo(int64_t max_bytes, const std::string& lease, const absl::Status& status) {
    RequestCache cache({.max_retained_request_bytes = max_bytes}, std::chrono::steady_clock::now);
    int acts = 0;
    const v1::DropRequest message;
    for (const char* id : {"r1", "r2", "r1"}) {
      v1::DropResponse response;
      static_cast<void>(cache.Run({"Drop", lease, id, &message}, {}, &response, [&] {
        ++acts;
        return status;
      }));
    }
    return acts == 2;
  }
};

TEST_F(RequestCacheBytesTest, LongIdsOfTinyAnswersCount) {
  EXPECT_TRUE(KeepsTwo(100'000, "L1", absl::OkStatus()));
  EXPECT_FALSE(KeepsTwo(100'000, std::string(60'000, 'L'), absl::OkStatus()));
}

TEST_F(RequestCacheBytesTest, WordsAndDetailsOfRefusalsCount) {
  const std::string words(60'000, 'w');
  EXPECT_FALSE(KeepsTwo(100'000, "L1", absl::NotFoundError(words)));
  absl::Status detailed = absl::NotFoundError("");
  detailed.SetPayload("url", absl::Cord(words));
  EXPECT_FALSE(KeepsTwo(100'000, "L1", detailed));
}

TEST_F(RequestCacheBytesTest, EachAnswerCountsItsOverhead) {
  EXPECT_FALSE(KeepsTwo(2 * RequestCache::kEntryOverheadBytes, "L1", absl::OkStatus()));
  EXPECT_TRUE(KeepsTwo(3 * RequestCache::kEntryOverheadBytes, "L1", absl::OkStatus()));
}

TEST_F(RequestCacheTest, AnIdThatIsTooLongIsRefused) {
  EXPECT_EQ(FieldOf(Drop(std::string(257, 'r'), "p1")), "request_id");
}

// Two calls with one id; the first acts until told.
class ConcurrentRequestCacheTest : public testing::Test {
 protected:
  absl::Status Call(const CallContext& context, absl::FunctionRef<absl::Status()> act) {
    v1::DropRequest message;
    v1::DropResponse response;
    return cache_.Run({"Drop", "L1", "r1", &message}, context, &response, act);
  }

  void StartFirst(absl::Status outcome) {
    first_ = std::jthread([this, outcome] {
      (void)Call({}, [&] {
        acting_.Set();
        Await(finish_);
        return outcome;
      });
    });
    ASSERT_TRUE(Await(acting_));
  }

  Event acting_, finish_;
  RequestCache cache_{{}, std::chrono::steady_clock::now};
  std::jthread first_;
};

TEST_F(ConcurrentRequestCacheTest, ADuplicateWaitsForTheFirstAndSharesItsAnswer) {
  StartFirst(absl::NotFoundError("no such pool"));
  bool acted = false;
  absl::Status second;
  std::thread duplicate([&] { second = Call({}, [&] { return acted = true, absl::OkStatus(); }); });
  finish_.Set();
  duplicate.join();
  EXPECT_FALSE(acted);
  EXPECT_EQ(second.message(), "no such pool");
}

TEST_F(ConcurrentRequestCacheTest, WhenTheFirstIsCancelledADuplicateActs) {
  StartFirst(absl::CancelledError("gone"));
  bool acted = false;
  std::thread duplicate([&] { EXPECT_TRUE(Call({}, [&] { return acted = true, absl::OkStatus(); }).ok()); });
  finish_.Set();
  duplicate.join();
  EXPECT_TRUE(acted);
}

TEST_F(ConcurrentRequestCacheTest, AWaitingDuplicateKeepsItsOwnDeadline) {
  StartFirst(absl::OkStatus());
  const absl::Status late =
      Call({.deadline = Deadline::After(absl::Milliseconds(20))}, [] { return absl::OkStatus(); });
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
  finish_.Set();
}

TEST_F(ConcurrentRequestCacheTest, AWaitingDuplicateCanBeCancelled) {
  StartFirst(absl::OkStatus());
  std::stop_source source;
  absl::Status status;
  std::thread duplicate([&] {
    status = Call({.deadline = Deadline::After(absl::Seconds(20)), .cancelled = source.get_token()},
                  [] { return absl::OkStatus(); });
  });
  source.request_stop();
  duplicate.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  finish_.Set();
}

}  // namespace
}  // namespace muster
