#include "daemon/lease/lease_keeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "base/event.h"

namespace muster {
namespace {

bool Await(const Event& event) { return event.Wait(Deadline::After(absl::Seconds(20))); }

class LeaseKeeperTest : public testing::Test {
 protected:
  OpenedLease MustOpen(absl::Duration grace) {
    v1::OpenLeaseRequest request;
    request.mutable_grace()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(grace)));
    absl::StatusOr<OpenedLease> opened = table_.Open(request, [] {});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  LeaseRemains TearDownLease(const std::string& lease_id) {
    MutexLock lock(&mutex_);
    torn_down_.push_back(lease_id);
    if (torn_down_.size() == awaited_) all_torn_down_.Set();
    return {1, 2};
  }

  Mutex mutex_;
  std::vector<std::string> torn_down_;
  size_t awaited_ = 1;
  Event all_torn_down_;
  LeaseTable table_{{}, std::chrono::steady_clock::now};
  std::unique_ptr<TimerQueue> timers_ = *TimerQueue::Start();
  LeaseKeeper keeper_{&table_, timers_.get(), [this](const std::string& id) { return TearDownLease(id); },
                      absl::Seconds(20)};
};

TEST_F(LeaseKeeperTest, WhatALeaseOwnsGoesWhenItsGraceIsOver) {
  const OpenedLease lease = MustOpen(absl::Milliseconds(5));
  keeper_.Release(lease.hold);
  ASSERT_TRUE(Await(all_torn_down_));
  EXPECT_EQ(torn_down_, std::vector<std::string>{lease.hold.lease_id});
}

TEST_F(LeaseKeeperTest, AnEarlierGraceIsNotHeldUpByALaterOne) {
  const OpenedLease late = MustOpen(absl::Milliseconds(900));
  const OpenedLease early = MustOpen(absl::Milliseconds(5));
  keeper_.Release(late.hold);
  keeper_.Release(early.hold);
  ASSERT_TRUE(Await(all_torn_down_));
  EXPECT_EQ(torn_down_, std::vector<std::string>{early.hold.lease_id});
}

TEST_F(LeaseKeeperTest, ManyLeasesThatBreakAtOnceAllEnd) {
  awaited_ = 50;
  std::vector<OpenedLease> leases;
  for (int i = 0; i < 50; ++i) leases.push_back(MustOpen(absl::Milliseconds(1)));
  for (const OpenedLease& lease : leases) keeper_.Release(lease.hold);
  EXPECT_TRUE(Await(all_torn_down_));
}

TEST_F(LeaseKeeperTest, EndReturnsWhatWentAndTheLeaseIsGone) {
  const OpenedLease lease = MustOpen(absl::Milliseconds(500));
  const absl::StatusOr<LeaseRemains> remains = keeper_.End(lease.hold.lease_id, lease.secret);
  ASSERT_TRUE(remains.ok());
  EXPECT_EQ(remains->pools, 1);
  EXPECT_EQ(remains->cgroups, 2);
  EXPECT_TRUE(table_.Ids().empty());
  EXPECT_EQ(keeper_.End(lease.hold.lease_id, lease.secret).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LeaseKeeperTest, WhatIsMadeDuringTheEndGoesToo) {
  const OpenedLease lease = MustOpen(absl::Milliseconds(500));
  auto use = table_.Use(lease.hold.lease_id, lease.secret, "x");
  ASSERT_TRUE(use.ok());
  std::thread maker([this, use = std::move(use)]() mutable {
    Await(all_torn_down_);
    const LeaseUse done = *std::move(use);
  });
  const absl::StatusOr<LeaseRemains> remains = keeper_.End(lease.hold.lease_id, lease.secret);
  maker.join();
  ASSERT_TRUE(remains.ok());
  EXPECT_EQ(remains->pools, 2) << "the teardown was not repeated after the last use";
  EXPECT_TRUE(table_.Ids().empty());
}

}  // namespace
}  // namespace muster
