#include "client/watcher.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/match.h"
#include "tests/support/fake_muster.h"
#include "tests/support/hybrid_device.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

v1::WatchUpdate Update(std::vector<uint64_t> iterations, bool final = false) {
  v1::WatchUpdate update;
  for (const uint64_t delta : iterations) {
    update.add_iterations_delta(delta);
    update.add_work_units_delta(delta * 1024);
  }
  update.set_final(final);
  return update;
}

class WatcherTest : public testing::Test {
 protected:
  WatcherTest() : connection_(*Connection::Open(*ParseAddress(fake_.address()), ConnectionOptions(), Soon())) {}

  FakeMuster fake_;
  std::shared_ptr<Connection> connection_;
};

TEST_F(WatcherTest, UpdatesComeInOrderAndEndAfterTheFinalOne) {
  fake_.SetWatchUpdates({Update({1, 2}), Update({3, 4}, true)});
  Watcher watcher(connection_, "p1", absl::Milliseconds(50), Soon());
  EXPECT_EQ((*watcher.Next())->iterations_delta(1), 2u);
  EXPECT_EQ((*watcher.Next())->iterations_delta(0), 3u);
  EXPECT_FALSE(watcher.Next()->has_value());
  EXPECT_FALSE(watcher.Next()->has_value());
  EXPECT_EQ(fake_.last_watch().period().nanos(), 50'000'000);
}

TEST_F(WatcherTest, AfterABreakItGoesOnFromTheTotalsItKnows) {
  fake_.SetWatchUpdates({Update({1, 2}), Update({10, 20})});
  Watcher watcher(connection_, "p1", absl::Seconds(1), Soon());
  ASSERT_EQ((*watcher.Next())->iterations_delta(0), 1u);
  ASSERT_EQ((*watcher.Next())->iterations_delta(0), 10u);
  fake_.SetWatchUpdates({Update({100, 200}, true)});
  fake_.BreakConnections();
  EXPECT_EQ((*watcher.Next())->iterations_delta(0), 100u);
  EXPECT_EQ(fake_.last_watch().known_iterations(0), 11u);
  EXPECT_EQ(fake_.last_watch().known_iterations(1), 22u);
  EXPECT_EQ(fake_.last_watch().known_work_units(0), 11u * 1024);
}

TEST_F(WatcherTest, CallThatTheDaemonCutsShortIsMadeAgain) {
  fake_.FailNext("Watch", grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "longer than max_call_time"));
  fake_.SetWatchUpdates({Update({1}, true)});
  Watcher watcher(connection_, "p1", absl::Seconds(1), Soon());
  EXPECT_TRUE(watcher.Next().ok());
  EXPECT_EQ(fake_.Count("Watch p1"), 2);
}

TEST_F(WatcherTest, OwnDeadlineIsFinal) {
  Watcher watcher(connection_, "p1", absl::Seconds(1), Deadline::After(absl::Milliseconds(50)));
  EXPECT_EQ(watcher.Next().status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(WatcherTest, MissingPoolIsAnError) {
  fake_.FailNext("Watch", grpc::Status(grpc::StatusCode::NOT_FOUND, "no pool p9"));
  Watcher watcher(connection_, "p9", absl::Seconds(1), Soon());
  EXPECT_EQ(watcher.Next().status(), absl::NotFoundError("watch of pool p9: no pool p9"));
}

TEST_F(WatcherTest, DaemonThatHangsUpEachTimeIsGivenUp) {
  fake_.RefuseConnections(true);
  fake_.BreakConnections();
  Watcher watcher(connection_, "p1", absl::Seconds(1), Soon());
  EXPECT_EQ(watcher.Next().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(WatcherTest, CancelEndsAWaitingRead) {
  Watcher watcher(connection_, "p1", absl::Seconds(1), Soon());
  std::thread other([&] {
    EXPECT_TRUE(fake_.WaitForCall("Watch p1"));
    watcher.Cancel();
  });
  EXPECT_EQ(watcher.Next().status().code(), absl::StatusCode::kCancelled);
  other.join();
}

TEST(SilentGuestTest, CancelEndsADialThatNobodyAnswers) {
  HybridDevice device;
  ConnectionOptions options;
  options.redial_for = absl::Hours(1);
  Watcher watcher(device.OpenAndBreak(options), "p1", absl::Seconds(1), Deadline::After(absl::Hours(1)));
  absl::Status status;
  std::thread reader([&] { status = watcher.Next().status(); });
  const UniqueFd unanswered = device.AwaitConnect();
  const Deadline soon = Deadline::After(absl::Seconds(10));
  watcher.Cancel();
  reader.join();
  EXPECT_FALSE(soon.Expired());
  EXPECT_EQ(status, absl::CancelledError("watch of pool p1: cancelled"));
}

TEST(SilentGuestTest, WatchIsGivenUpBeforeItsDeadline) {
  HybridDevice device;
  ConnectionOptions options;
  options.redial_for = absl::Milliseconds(100);
  Watcher watcher(device.OpenAndBreak(options), "p1", absl::Seconds(1), Deadline::After(absl::Hours(1)));
  const absl::Status status = watcher.Next().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "watch of pool p1: ")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "redial_for is 100ms")) << status;
}

TEST_F(WatcherTest, CancelledWatcherStaysCancelled) {
  Watcher watcher(connection_, "p1", absl::Seconds(1), Soon());
  watcher.Cancel();
  EXPECT_EQ(watcher.Next().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(watcher.Next().status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace muster
