#include "daemon/lease/lease_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/error_detail.h"

namespace muster {
namespace {

class LeaseTableTest : public testing::Test {
 protected:
  void Advance(absl::Duration duration) { now_ += absl::ToChronoNanoseconds(duration); }

  OpenedLease MustOpen(absl::Duration grace = absl::Seconds(10)) {
    v1::OpenLeaseRequest request;
    request.set_owner("test");
    request.mutable_grace()->set_seconds(absl::ToInt64Seconds(grace));
    absl::StatusOr<OpenedLease> opened = table_.Open(request, [this] { ++wakes_; });
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  absl::StatusOr<OpenedLease> Reattach(const std::string& id, const std::string& secret) {
    v1::OpenLeaseRequest request;
    request.set_lease_id(id);
    request.set_lease_secret(secret);
    return table_.Reattach(request, [this] { ++wakes_; });
  }

  static v1::LeaseEvent Removed(const std::string& name) {
    v1::LeaseEvent event;
    event.mutable_cgroup_removed()->set_name(name);
    return event;
  }

  LeaseTable::TimePoint now_ = LeaseTable::TimePoint() + std::chrono::hours(1);
  std::atomic<int> wakes_ = 0;
  LeaseTable table_{{.grace = absl::Seconds(10), .max_grace = absl::Minutes(1), .max_leases = 3, .max_lease_events = 2},
                    [this] { return now_; }};
};

TEST_F(LeaseTableTest, EveryLeaseHasItsOwnIdAndSecret) {
  const OpenedLease first = MustOpen();
  const OpenedLease second = MustOpen();
  EXPECT_NE(first.hold.lease_id, second.hold.lease_id);
  EXPECT_NE(first.secret, second.secret);
  EXPECT_TRUE(table_.Check(first.hold.lease_id, first.secret, "lease_id").ok());
  const absl::Status crossed = table_.Check(first.hold.lease_id, second.secret, "lease_id");
  EXPECT_EQ(crossed.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(crossed.message().find(first.secret), absl::string_view::npos) << "the secret is in an error text";
}

TEST_F(LeaseTableTest, AnEmptyIdIsAWrongFieldAndAnUnknownOneIsNotFound) {
  EXPECT_EQ(FieldOf(table_.Check("", "", "authority.lease_id")), "authority.lease_id");
  EXPECT_EQ(table_.Check("nobody", "", "x").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Reattach("nobody", "").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LeaseTableTest, TheLimitOfLeasesIsNamed) {
  for (int i = 0; i < 3; ++i) MustOpen();
  const absl::Status status = table_.Open({}, [] {}).status();
  ASSERT_TRUE(LimitOf(status).has_value()) << status;
  EXPECT_EQ(LimitOf(status)->name, "max_leases");
  EXPECT_EQ(LimitOf(status)->value, 3);
}

TEST_F(LeaseTableTest, GraceOutOfRangeAndLongOwnersAreRefused) {
  v1::OpenLeaseRequest request;
  request.mutable_grace()->set_seconds(61);
  EXPECT_EQ(FieldOf(table_.Open(request, [] {}).status()), "grace");
  request.mutable_grace()->set_seconds(-1);
  EXPECT_EQ(FieldOf(table_.Open(request, [] {}).status()), "grace");
  request.clear_grace();
  request.set_owner(std::string(257, 'x'));
  EXPECT_EQ(FieldOf(table_.Open(request, [] {}).status()), "owner");
  request.set_owner(std::string(256, 'x'));
  EXPECT_TRUE(table_.Open(request, [] {}).ok());
}

TEST_F(LeaseTableTest, AHeldLeaseIsNeverOverdue) {
  MustOpen();
  Advance(absl::Hours(100));
  EXPECT_FALSE(table_.NextOverdue().has_value());
  EXPECT_TRUE(table_.BeginOverdue().empty());
}

TEST_F(LeaseTableTest, TheGraceRunsFromTheBreak) {
  const OpenedLease lease = MustOpen(absl::Seconds(5));
  Advance(absl::Seconds(100));
  table_.Release(lease.hold);
  ASSERT_TRUE(table_.NextOverdue().has_value());
  EXPECT_EQ(*table_.NextOverdue(), now_ + std::chrono::seconds(5));
  Advance(absl::Seconds(4));
  EXPECT_TRUE(table_.BeginOverdue().empty());
  Advance(absl::Seconds(1));
  EXPECT_EQ(table_.BeginOverdue(), std::vector<std::string>{lease.hold.lease_id});
  EXPECT_TRUE(table_.BeginOverdue().empty()) << "the same lease was ended twice";
  EXPECT_EQ(Reattach(lease.hold.lease_id, lease.secret).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LeaseTableTest, AGraceWithoutEndIsNotOverAtOnce) {
  LeaseTable patient({.grace = absl::InfiniteDuration(), .max_grace = absl::InfiniteDuration()},
                     [this] { return now_; });
  const absl::StatusOr<OpenedLease> lease = patient.Open({}, [] {});
  ASSERT_TRUE(lease.ok()) << lease.status();
  patient.Release(lease->hold);
  EXPECT_TRUE(patient.BeginOverdue().empty());
  ASSERT_TRUE(patient.NextOverdue().has_value());
  EXPECT_GT(*patient.NextOverdue(), now_);
}

TEST_F(LeaseTableTest, AReattachWithinTheGraceStopsIt) {
  const OpenedLease lease = MustOpen(absl::Seconds(5));
  table_.Release(lease.hold);
  Advance(absl::Seconds(4));
  EXPECT_EQ(Reattach(lease.hold.lease_id, "wrong").status().code(), absl::StatusCode::kPermissionDenied);
  const absl::StatusOr<OpenedLease> again = Reattach(lease.hold.lease_id, lease.secret);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->reattached);
  EXPECT_EQ(again->secret, lease.secret);
  EXPECT_EQ(again->grace, absl::Seconds(5));
  Advance(absl::Hours(1));
  EXPECT_TRUE(table_.BeginOverdue().empty());
}

TEST_F(LeaseTableTest, AGraceThatIsOverCannotBeUsedEvenBeforeTheTimerComes) {
  const OpenedLease lease = MustOpen(absl::Seconds(5));
  table_.Release(lease.hold);
  Advance(absl::Seconds(5));
  EXPECT_EQ(Reattach(lease.hold.lease_id, lease.secret).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LeaseTableTest, AReattachTakesOverFromAStreamThatIsStillUp) {
  const OpenedLease first = MustOpen();
  const absl::StatusOr<OpenedLease> second = Reattach(first.hold.lease_id, first.secret);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(wakes_, 1) << "the former stream was not told";
  EXPECT_EQ(table_.Take(first.hold).status().code(), absl::StatusCode::kFailedPrecondition);
  // Its late good-bye does not start the grace of the one that took over.
  table_.Release(first.hold);
  EXPECT_FALSE(table_.NextOverdue().has_value());
}

TEST_F(LeaseTableTest, EventsComeInOrderAndWait) {
  const OpenedLease lease = MustOpen();
  table_.Post(lease.hold.lease_id, Removed("a"));
  table_.Post(lease.hold.lease_id, Removed("b"));
  EXPECT_EQ(wakes_, 2);
  EXPECT_EQ((*table_.Take(lease.hold))->cgroup_removed().name(), "a");
  EXPECT_EQ((*table_.Take(lease.hold))->cgroup_removed().name(), "b");
  EXPECT_FALSE((*table_.Take(lease.hold)).has_value());
}

TEST_F(LeaseTableTest, ASlowReaderLosesTheOldestEventsAndIsToldHowMany) {
  const OpenedLease lease = MustOpen();
  for (const char* name : {"a", "b", "c", "d", "e"}) table_.Post(lease.hold.lease_id, Removed(name));
  const auto first = *table_.Take(lease.hold);
  EXPECT_EQ(first->cgroup_removed().name(), "d");
  EXPECT_EQ(first->dropped(), 3u);
  const auto second = *table_.Take(lease.hold);
  EXPECT_EQ(second->cgroup_removed().name(), "e");
  EXPECT_EQ(second->dropped(), 0u);
}

TEST_F(LeaseTableTest, EventsOfTheGraceTimeWaitForTheReattach) {
  const OpenedLease lease = MustOpen();
  table_.Release(lease.hold);
  table_.Post(lease.hold.lease_id, Removed("a"));
  const absl::StatusOr<OpenedLease> again = Reattach(lease.hold.lease_id, lease.secret);
  EXPECT_EQ((*table_.Take(again->hold))->cgroup_removed().name(), "a");
}

TEST_F(LeaseTableTest, NothingIsMadeInTheNameOfAnEndingLease) {
  const OpenedLease lease = MustOpen();
  ASSERT_TRUE(table_.BeginEnd(lease.hold.lease_id, lease.secret).ok());
  EXPECT_EQ(table_.Use(lease.hold.lease_id, lease.secret, "x").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(table_.BeginEnd(lease.hold.lease_id, lease.secret).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(table_.BeginEnd(lease.hold.lease_id, std::nullopt).code(), absl::StatusCode::kNotFound);
}

TEST_F(LeaseTableTest, EndingNeedsTheSecretUnlessTheDaemonDoesIt) {
  const OpenedLease lease = MustOpen();
  EXPECT_EQ(table_.BeginEnd(lease.hold.lease_id, "wrong").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(table_.BeginEnd("nobody", std::nullopt).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(table_.BeginEnd(lease.hold.lease_id, std::nullopt).ok());
}

TEST_F(LeaseTableTest, TheStreamOfAForgottenLeaseGetsItsEventsAndThenTheEnd) {
  const OpenedLease lease = MustOpen();
  ASSERT_TRUE(table_.BeginEnd(lease.hold.lease_id, lease.secret).ok());
  table_.Post(lease.hold.lease_id, Removed("a"));
  EXPECT_EQ((*table_.Take(lease.hold))->cgroup_removed().name(), "a");
  wakes_ = 0;
  table_.Forget(lease.hold.lease_id);
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(table_.Take(lease.hold).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(table_.Ids().empty());
}

TEST_F(LeaseTableTest, AwaitUnusedWaitsForTheLastUse) {
  const OpenedLease lease = MustOpen();
  auto use = table_.Use(lease.hold.lease_id, lease.secret, "x");
  ASSERT_TRUE(use.ok());
  EXPECT_EQ(use->owner(), "test");
  EXPECT_FALSE(table_.AwaitUnused(lease.hold.lease_id, Deadline::After(absl::Milliseconds(10))));
  std::thread user([use = std::move(use)]() mutable { LeaseUse done = *std::move(use); });
  EXPECT_TRUE(table_.AwaitUnused(lease.hold.lease_id, Deadline::After(absl::Seconds(20))));
  user.join();
}

}  // namespace
}  // namespace muster
