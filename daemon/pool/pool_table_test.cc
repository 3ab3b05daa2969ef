// Many pools: identity, limits, retention, and the ways of going.
#include "daemon/pool/pool_table.h"

#include <signal.h>

#include <thread>

#include "base/clock.h"
#include "base/error_detail.h"
#include "base/no_threads_testing.h"
#include "daemon/pool/testing/pool_test_base.h"

namespace muster {
namespace {

using Kind = control::Request;

class PoolTableTest : public PoolTestBase {
 protected:
  std::string LimitOfSpawn(const std::string& spec) {
    const absl::Status status = TrySpawn(spec).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    return LimitOf(status).value_or(Limit()).name;
  }
  bool Exists(const std::string& id) { return table().Find(id).ok(); }
  // Waits until the table has let go of a pool.
  void AwaitGone(const std::string& id) {
    const Deadline deadline = Soon();
    while (Exists(id) && !deadline.Expired()) std::this_thread::yield();
    EXPECT_FALSE(Exists(id));
  }
};

// ---- Identity ----

TEST_F(PoolTableTest, PoolsAreFoundByIdAndListedOldestFirst) {
  const Pool one = Spawn(), two = Spawn("num_workers: 2", {.lease_id = "L", .owner = "me"});
  EXPECT_TRUE(*table().Find(one.id()) == one);
  const std::vector<PoolInfo> list = table().List();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].pool_id, one.id());
  EXPECT_EQ(list[1].labels.owner, "me");
  EXPECT_EQ(list[1].workers, 2u);
  EXPECT_EQ(list[1].state, PoolState::kReady);
  EXPECT_EQ(list[1].groups.at(0).work_type(), "SpinWait");
}

TEST_F(PoolTableTest, UnknownIdsAreNotFound) {
  for (const char* id : {"", "p", "p0", "p1", "1", "x1", "p-1", "p99999999999999999999"}) {
    EXPECT_EQ(table().Find(id).status().code(), absl::StatusCode::kNotFound) << id;
    EXPECT_FALSE(table().Drop(id, Soon())) << id;
    EXPECT_EQ(table().Confirm(id, Soon()).code(), absl::StatusCode::kNotFound) << id;
  }
}

TEST_F(PoolTableTest, IdsAreNeverGivenOutTwice) {
  const std::string first = Spawn().id();
  table().Drop(first, Soon());
  EXPECT_NE(Spawn().id(), first);
}

// ---- Limits ----

TEST_F(PoolTableTest, TheNumberOfPoolsIsLimited) {
  environment_.limits.max_pools = 2;
  const Pool one = Spawn();
  Spawn();
  EXPECT_EQ(LimitOfSpawn(""), "max_pools");
  table().Drop(one.id(), Soon());
  EXPECT_TRUE(TrySpawn("").ok());
}

TEST_F(PoolTableTest, TheWorkersOfAllPoolsTogetherAreLimited) {
  environment_.limits.max_total_workers = 10;
  Spawn("num_workers: 6");
  EXPECT_EQ(LimitOfSpawn("num_workers: 5"), "max_total_workers");
  EXPECT_TRUE(TrySpawn("num_workers: 4").ok());
}

TEST_F(PoolTableTest, ArenasAreLimitedEachAndTogether) {
  environment_.limits.max_arena_bytes = 3 << 20;
  environment_.limits.max_total_arena_bytes = 4 << 20;
  const std::string two_mb = "num_workers: 2 work { pipe_io {} }";  // 0.8 MB of samples each
  EXPECT_EQ(LimitOfSpawn("num_workers: 4 work { pipe_io {} }"), "max_arena_bytes");
  EXPECT_TRUE(TrySpawn("num_workers: 4 work { pipe_io {} } max_samples: 100").ok());
  EXPECT_TRUE(TrySpawn(two_mb).ok());
  EXPECT_TRUE(TrySpawn(two_mb).ok());
  EXPECT_EQ(LimitOfSpawn(two_mb), "max_total_arena_bytes");
}

TEST_F(PoolTableTest, TheCgroupsOfAllPoolsTogetherAreLimited) {
  environment_.max_cgroups = 2;
  EXPECT_EQ(LimitOfSpawn("cgroups { name: \"a\" } cgroups { name: \"b\" } cgroups { name: \"c\" }"), "max_cgroups");
  const Pool two = Spawn("cgroups { name: \"a\" } cgroups { name: \"b\" } num_workers: 1");
  EXPECT_EQ(LimitOfSpawn("cgroups { name: \"c\" } num_workers: 1"), "max_cgroups");
  table().Drop(two.id(), Soon());
  EXPECT_TRUE(TrySpawn("cgroups { name: \"c\" } num_workers: 1").ok());
}

TEST_F(PoolTableTest, NoCgroupIsMadeAfterTheDeadlineOfTheCall) {
  v1::WorkloadSpec spec;
  spec.set_num_workers(1);
  spec.add_cgroups()->set_name("a");
  EXPECT_EQ(table().Spawn(spec, {}, Now()).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(cgroups_.made(), 0);
  EXPECT_EQ(launcher_.launched(), 0u);
}

TEST_F(PoolTableTest, ASpawnThatFailedCountsForNoLimit) {
  environment_.limits.max_pools = 1;
  launcher_.FailNext(absl::InternalError("x"));
  EXPECT_FALSE(TrySpawn("").ok());
  EXPECT_TRUE(TrySpawn("").ok());
}

TEST_F(PoolTableTest, AWorkTypeThatTheBinaryLacksNamesTheField) {
  const absl::Status status = TrySpawn("composed { num_workers: 1 work { mixed {} } }").status();
  EXPECT_EQ(FieldOf(status), "composed[0].work") << status;
}

// ---- Confirm and retention ----

TEST_F(PoolTableTest, ConfirmForgetsACollectedPoolAndSucceedsAgain) {
  const Pool pool = Spawn();
  EXPECT_EQ(table().Confirm(pool.id(), Soon()).code(), absl::StatusCode::kFailedPrecondition);
  Collect(pool);
  EXPECT_EQ(table().Confirm(pool.id(), Soon()), absl::OkStatus());
  EXPECT_EQ(table().Confirm(pool.id(), Soon()), absl::OkStatus());
  EXPECT_FALSE(Exists(pool.id()));
  KeptReports kept;
  EXPECT_EQ(Pool(pool).Collect({}, &kept, Soon()).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(host().process().reaped());
}

TEST_F(PoolTableTest, ReportsThatNobodyConfirmsAreForgottenInTime) {
  environment_.limits.report_retention = absl::Milliseconds(20);
  const Pool kept = Spawn(), collected = Spawn();
  ASSERT_EQ(Pool(collected).Stop(Soon()), absl::OkStatus());
  AwaitGone(collected.id());
  EXPECT_TRUE(Exists(kept.id())) << "it has no reports yet";
}

TEST_F(PoolTableTest, TheOldestReportsGoFirstWhenThereAreTooMany) {
  environment_.limits.max_retained_pools = 2;
  std::vector<Pool> pools = {Spawn(), Spawn(), Spawn()};
  for (const int i : {2, 0, 1}) ASSERT_EQ(pools[i].Stop(Soon()), absl::OkStatus());
  AwaitGone(pools[2].id());
  EXPECT_TRUE(Exists(pools[0].id()));
  EXPECT_TRUE(Exists(pools[1].id()));
}

// ---- Drop ----

TEST_F(PoolTableTest, DropFromEveryStateLeavesNothing) {
  const Pool ready = Spawn(), started = Spawn(), stopping = Spawn(), collected = Spawn();
  ASSERT_EQ(Start(started), absl::OkStatus());
  host(2).Hold(Kind::kStop);
  std::thread stop([&] { EXPECT_EQ(Pool(stopping).Stop(Soon()).code(), absl::StatusCode::kNotFound); });
  host(2).AwaitRequests(Kind::kStop);
  ASSERT_EQ(Pool(collected).Stop(Soon()), absl::OkStatus());
  for (const Pool& pool : {ready, started, stopping, collected}) {
    EXPECT_TRUE(table().Drop(pool.id(), Soon())) << pool.id();
    EXPECT_FALSE(table().Drop(pool.id(), Soon())) << "dropped already";
    EXPECT_EQ(pool.state(), PoolState::kDropped);
  }
  stop.join();
  EXPECT_TRUE(cgroups_.Left().empty());
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(host(i).process().reaped());
}

TEST_F(PoolTableTest, EveryCallOnADroppedPoolIsNotFound) {
  Pool pool = Spawn();
  table().Drop(pool.id(), Soon());
  KeptReports kept;
  v1::WorkerReport report;
  EXPECT_EQ(Start(pool).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(pool.Place({}, Soon()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(pool.Snapshot().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(pool.Stop(Soon()).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(pool.Collect({}, &kept, Soon()).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(pool.FillReport(0, false, &report).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(pool.Summary().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PoolTableTest, ACgroupThatCannotBeRemovedInTimeIsTriedAgain) {
  const Pool pool = Spawn("cgroups { name: \"a\" } num_workers: 1");
  cgroups_.FailRemoval("a", absl::DeadlineExceededError("it is busy"));
  EXPECT_TRUE(table().Drop(pool.id(), Soon()));
  EXPECT_FALSE(cgroups_.Left().empty());
  const Deadline deadline = Soon();
  while (!cgroups_.Left().empty() && !deadline.Expired()) std::this_thread::yield();
  EXPECT_TRUE(cgroups_.Left().empty());
  EXPECT_TRUE(TrySpawn("cgroups { name: \"a\" } num_workers: 1").ok()) << "the name is free again";
}

TEST_F(PoolTableTest, DropEndsACallThatWaitsForThePoolHost) {
  const Pool pool = Spawn();
  host().Hold(Kind::kPlace);
  PlaceTarget target;
  target.to_cpus = true;
  target.cpus = "0";
  std::thread place([&] { EXPECT_EQ(Pool(pool).Place(target, Soon()).status().code(), absl::StatusCode::kNotFound); });
  host().AwaitRequests(Kind::kPlace);
  EXPECT_TRUE(table().Drop(pool.id(), Soon()));
  place.join();
}

TEST_F(PoolTableTest, ASecondDropReturnsOnlyWhenNothingIsLeft) {
  const Pool pool = Spawn();
  host().Hold(Kind::kKill);
  std::thread first([&] { EXPECT_TRUE(table().Drop(pool.id(), Soon())); });
  host().AwaitRequests(Kind::kKill);
  std::thread second([&] {
    EXPECT_FALSE(table().Drop(pool.id(), Soon()));
    EXPECT_TRUE(host().process().reaped());
    EXPECT_TRUE(cgroups_.Left().empty());
  });
  // The second one must have found the pool before the first has forgotten it; whichever way that goes, its promise
  // holds.
  host().Let(Kind::kKill);
  first.join();
  second.join();
}

TEST_F(PoolTableTest, APoolIsListedUntilNothingOfItIsLeft) {
  environment_.limits.max_pools = 1;
  const Pool pool = Spawn();
  host().Hold(Kind::kKill);
  std::thread drop([&] { table().Drop(pool.id(), Soon()); });
  host().AwaitRequests(Kind::kKill);
  EXPECT_FALSE(table().Drop(pool.id(), Shortly()));
  EXPECT_EQ(LimitOfSpawn(""), "max_pools") << "it still takes its place";
  host().Let(Kind::kKill);
  drop.join();
  EXPECT_TRUE(TrySpawn("").ok());
}

TEST_F(PoolTableTest, APoolIsDroppedWhileItIsBeingMade) {
  launcher_.HoldFromLaunch(Kind::kPlan);
  absl::Status spawned;
  std::thread spawn([&] { spawned = TrySpawn("").status(); });
  host().AwaitRequests(Kind::kPlan);
  EXPECT_EQ(table().List().at(0).state, PoolState::kSpawning);
  EXPECT_TRUE(table().Drop("p1", Soon()));
  EXPECT_TRUE(cgroups_.Left().empty());
  EXPECT_TRUE(host().process().reaped());
  spawn.join();
  EXPECT_FALSE(spawned.ok());
}

TEST_F(PoolTableTest, APoolIsDroppedWhileItsCgroupsAreBeingMade) {
  Mutex mutex;
  CondVar changed;
  bool opening = false, go_on = false;
  cgroups_.OnOpen([&] {
    MutexLock lock(&mutex);
    opening = true;
    changed.NotifyAll();
    while (!go_on) changed.WaitUntil(&mutex, Soon().when());
  });
  cgroups_.Add("there", "0-3");
  std::thread spawn([&] { EXPECT_FALSE(TrySpawn("cgroup: \"there\" composed { num_workers: 1 }").ok()); });
  {
    MutexLock lock(&mutex);
    while (!opening) changed.WaitUntil(&mutex, Soon().when());
  }
  std::thread drop([&] {
    EXPECT_TRUE(table().Drop("p1", Soon()));
    EXPECT_TRUE(cgroups_.Left().empty()) << "also what was made after the drop had begun";
  });
  const Pool pool = *table().Find("p1");
  while (pool.state() != PoolState::kDropped) std::this_thread::yield();
  {
    MutexLock lock(&mutex);
    go_on = true;
    changed.NotifyAll();
  }
  spawn.join();
  drop.join();
  EXPECT_TRUE(cgroups_.Left().empty());
  EXPECT_EQ(launcher_.launched(), 0u) << "no pool host is started for a pool that is gone";
}

TEST_F(PoolTableTest, APoolHostThatIgnoresTheKillIsKilledAtTheDeadline) {
  const Pool pool = Spawn();
  host().Hold(Kind::kKill);
  EXPECT_TRUE(table().Drop(pool.id(), Shortly()));
  EXPECT_TRUE(host().process().killed());
  EXPECT_TRUE(host().process().reaped());
}

// ---- Leases, closing ----

TEST_F(PoolTableTest, TheEndOfALeaseDropsItsPoolsButForDetachedOnes) {
  const Pool owned = Spawn("", {.lease_id = "L"}), detached = Spawn("", {.lease_id = "L", .detached = true});
  const Pool other = Spawn("", {.lease_id = "M"});
  EXPECT_EQ(table().DropLease("L", Soon()), 1);
  EXPECT_FALSE(Exists(owned.id()));
  EXPECT_TRUE(Exists(other.id()));
  EXPECT_EQ(table().Find(detached.id())->labels().lease_id, "");
  EXPECT_EQ(table().DropLease("L", Soon()), 0);
}

TEST_F(PoolTableTest, PoolsAreDroppedAlsoWhenNoThreadCanBeMade) {
  Spawn("", {.lease_id = "L"});
  Spawn("", {.lease_id = "L"});
  const NoThreadsForTesting full;
  EXPECT_EQ(table().DropLease("L", Soon()), 2);
  EXPECT_TRUE(table().List().empty());
}

TEST_F(PoolTableTest, WithoutRoomForAThreadThereIsNoTable) {
  const NoThreadsForTesting full;
  const absl::Status status = PoolTable::Start(environment_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST_F(PoolTableTest, ClosingDropsAllAtOnceAndRefusesMore) {
  for (int i = 0; i < 5; ++i) {
    Spawn();
    host(i).Hold(Kind::kKill);  // each takes its whole deadline
  }
  const uint64_t before_ns = MonotonicNs();
  table().Close(Deadline::After(absl::Milliseconds(300)));
  EXPECT_LT(MonotonicNs() - before_ns, 1'200'000'000u) << "one after the other they would take 1.5 s";
  EXPECT_EQ(TrySpawn("").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(table().List().empty());
}

TEST_F(PoolTableTest, SpawnsAndDropsOfManyThreadsLeaveNothing) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([this, i] {
      for (int k = 0; k < 10; ++k) {
        const absl::StatusOr<Pool> pool = TrySpawn("num_workers: 2", {.lease_id = i % 2 == 0 ? "even" : "odd"});
        if (!pool.ok()) continue;  // dropped by another thread already
        if (k % 3 == 0) Start(*pool).IgnoreError();
        if (k % 4 == 0) Pool(*pool).Stop(Soon()).IgnoreError();
        if (k % 5 == 0) table().DropLease(i % 2 == 0 ? "even" : "odd", Soon());
        table().Drop(pool->id(), Soon());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(table().List().empty());
}

}  // namespace
}  // namespace muster
