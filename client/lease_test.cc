#include "client/lease.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/strings/match.h"
#include "base/listener.h"
#include "base/no_threads_testing.h"
#include "tests/support/fake_muster.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

class LeaseTest : public testing::Test {
 protected:
  std::unique_ptr<Lease> Open(LeaseOptions options = {}) {
    connection_ = *Connection::Open(*ParseAddress(fake_.address()), ConnectionOptions(), Soon());
    absl::StatusOr<std::unique_ptr<Lease>> lease = Lease::Open(connection_, std::move(options), Soon());
    EXPECT_TRUE(lease.ok()) << lease.status();
    return *std::move(lease);
  }

  // Waits for an event of the lease with a condition of the caller's.
  void Await(const std::function<bool()>& condition) {
    const Deadline deadline = Soon();
    MutexLock lock(&mutex_);
    while (!condition()) {
      ASSERT_TRUE(changed_.WaitUntil(&mutex_, deadline.when())) << "nothing happened";
    }
  }

  FakeMuster fake_;
  std::shared_ptr<Connection> connection_;
  Mutex mutex_;
  CondVar changed_;
};

TEST_F(LeaseTest, AuthorityIsTheDaemonsIdAndSecret) {
  const auto lease = Open();
  EXPECT_EQ(lease->authority().lease_id(), "l1");
  EXPECT_EQ(lease->authority().lease_secret(), "secret");
  EXPECT_TRUE(lease->status().ok());
}

TEST_F(LeaseTest, EndOfTheObjectEndsTheLease) {
  Open().reset();
  EXPECT_EQ(fake_.Count("EndLease l1"), 1);
}

TEST_F(LeaseTest, EventsComeWhileCallsFollowEachOther) {
  std::atomic<bool> came = false;
  const auto lease = Open({.on_event = [&](const v1::LeaseEvent& event) {
    if (event.dropped() == 3) came = true;
  }});
  v1::LeaseEvent event;
  event.set_dropped(3);
  const Deadline deadline = Soon();
  for (int i = 0; !came && !deadline.Expired(); ++i) {
    // The reader has left the stream by then.
    if (i == 50) fake_.SendEvent(event);
    ASSERT_TRUE(connection_->Call(&Connection::Stub::ListPools, v1::ListPoolsRequest(), Soon(), "list").ok());
  }
  EXPECT_TRUE(came);
}

TEST_F(LeaseTest, BrokenStreamIsReattachedUnderTheSameId) {
  const auto lease = Open();
  fake_.BreakConnections();
  ASSERT_TRUE(fake_.WaitForCall("OpenLease l1"));
  EXPECT_TRUE(lease->status().ok());
  EXPECT_EQ(lease->authority().lease_id(), "l1");
}

TEST_F(LeaseTest, DaemonThatHangsUpForAWhileIsReattachedLater) {
  const auto lease = Open();
  fake_.RefuseConnections(true);
  fake_.BreakConnections();
  fake_.RefuseConnections(false);
  EXPECT_TRUE(fake_.WaitForCall("OpenLease l1"));
  EXPECT_TRUE(lease->status().ok());
}

TEST_F(LeaseTest, EventsArriveAlsoAfterAReattachment) {
  int opened = 0;
  std::vector<std::string> ended;
  LeaseOptions options;
  options.on_event = [&](const v1::LeaseEvent& event) {
    MutexLock lock(&mutex_);
    if (event.has_opened()) ++opened;
    if (event.has_pool_ended()) ended.push_back(event.pool_ended().pool_id());
    changed_.NotifyAll();
  };
  const auto lease = Open(options);
  v1::LeaseEvent event;
  event.mutable_pool_ended()->set_pool_id("p1");
  fake_.SendEvent(event);
  Await([&] { return ended.size() == 1; });
  fake_.BreakConnections();
  Await([&] { return opened == 2; });
  event.mutable_pool_ended()->set_pool_id("p2");
  fake_.SendEvent(event);
  Await([&] { return ended.size() == 2; });
  EXPECT_EQ(ended, (std::vector<std::string>{"p1", "p2"}));
}

TEST_F(LeaseTest, LeaseThatTheDaemonForgotIsLostAndSaysWhy) {
  const auto lease = Open();
  fake_.ForgetLeases();
  ASSERT_TRUE(fake_.WaitForCall("OpenLease l1"));
  const Deadline deadline = Soon();
  while (lease->status().ok() && !deadline.Expired()) std::this_thread::yield();
  EXPECT_EQ(lease->status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StartsWith(lease->status().message(), "the lease was lost: ")) << lease->status();
}

TEST_F(LeaseTest, LostLeaseIsNotEndedAgain) {
  auto lease = Open();
  fake_.ForgetLeases();
  const Deadline deadline = Soon();
  while (lease->status().ok() && !deadline.Expired()) std::this_thread::yield();
  lease.reset();
  EXPECT_EQ(fake_.Count("EndLease l1"), 0);
}

TEST_F(LeaseTest, RefusalToOpenIsTheError) {
  fake_.FailNext("OpenLease", grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many leases"));
  connection_ = *Connection::Open(*ParseAddress(fake_.address()), ConnectionOptions(), Soon());
  const absl::Status status = Lease::Open(connection_, LeaseOptions(), Soon()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(status.message(), "opening a lease")) << status;
}

TEST_F(LeaseTest, DaemonThatHangsUpForGoodDoesNotHoldTheEnd) {
  auto lease = Open();
  fake_.RefuseConnections(true);
  fake_.BreakConnections();
  const Deadline deadline = Deadline::After(absl::Seconds(5));
  lease.reset();
  EXPECT_FALSE(deadline.Expired());
}

TEST(LeaseDeadlineTest, PeerThatNeverAnswersEndsTheOpeningInTime) {
  absl::StatusOr<Listener> mute = Listener::Listen(TcpAddress{"127.0.0.1", 0});
  ASSERT_TRUE(mute.ok()) << mute.status();
  const auto connection = *Connection::Open(mute->address(), ConnectionOptions(), Soon());
  EXPECT_EQ(Lease::Open(connection, LeaseOptions(), Deadline::After(absl::Milliseconds(100))).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(LeaseThreadTest, WithoutRoomForAThreadThereIsNoLease) {
  absl::StatusOr<Listener> mute = Listener::Listen(TcpAddress{"127.0.0.1", 0});
  ASSERT_TRUE(mute.ok()) << mute.status();
  const auto connection = *Connection::Open(mute->address(), ConnectionOptions(), Soon());
  const NoThreadsForTesting full;
  const absl::Status status = Lease::Open(connection, LeaseOptions(), Soon()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

}  // namespace
}  // namespace muster
