// The life of one pool, call by call, with a fake pool host.
#include "daemon/pool/pool.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

#include "base/error_detail.h"
#include "daemon/pool/testing/pool_test_base.h"

namespace muster {
namespace {

using Kind = control::Request;

class PoolTest : public PoolTestBase {
 protected:
  static void ExpectWrongState(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(PreconditionOf(status).value_or(Precondition()).type, "POOL_STATE") << status;
  }
  static absl::Status PlaceOn(Pool pool, const PlaceTarget& target) { return pool.Place(target, Soon()).status(); }
  static PlaceTarget ToCgroup(const std::string& name, std::vector<uint32_t> workers = {}) {
    PlaceTarget target;
    target.cgroup = name;
    target.workers = std::move(workers);
    return target;
  }
  static PlaceTarget ToCpus(const std::string& cpus) {
    PlaceTarget target;
    target.to_cpus = true;
    target.cpus = cpus;
    return target;
  }
};

// ---- Spawn ----

TEST_F(PoolTest, SpawnGivesWorkersAtTheGateInGroupOrder) {
  const Pool pool =
      Spawn("num_workers: 2 affinity { exact { cpus: \"1\" } } composed { num_workers: 1 comm: \"other\" }");
  EXPECT_EQ(pool.state(), PoolState::kReady);
  const std::vector<WorkerInfo> workers = pool.Workers();
  ASSERT_EQ(workers.size(), 3u);
  EXPECT_EQ(workers[0].pid, 10'000);
  EXPECT_EQ(workers[1].cpus, "1");
  EXPECT_EQ(workers[2].group_idx, 1u);
  EXPECT_EQ(workers[2].cpus, "") << "inherited";
  EXPECT_EQ(pool.resolved_spec().composed(0).comm(), "other");
  EXPECT_EQ(pool.host_pid(), host().process().pid());
}

TEST_F(PoolTest, ThePlanCarriesLimitsGroupsAndOneDirectoryPerCgroup) {
  cgroups_.Add("a", "0-3");
  environment_.control_priority = 99;
  environment_.limits.max_worker_rt_priority = 50;
  Spawn("num_workers: 2 cgroup: \"a\" composed { num_workers: 1 } composed { num_workers: 3 cgroup: \"a\" }");
  const control::Plan plan = host().LastRequest(Kind::kPlan).plan();
  EXPECT_EQ(plan.pool_id(), "p1");
  EXPECT_EQ(plan.control_priority(), 99u);
  EXPECT_EQ(plan.max_worker_rt_priority(), 50u);
  ASSERT_EQ(plan.groups_size(), 3);
  EXPECT_EQ(plan.groups(2).num_workers(), 3u);
  EXPECT_EQ(plan.groups(0).cgroup_fd(), plan.groups(2).cgroup_fd());
  EXPECT_NE(plan.groups(0).cgroup_fd(), plan.groups(1).cgroup_fd());
}

TEST_F(PoolTest, TheDrawnCpusOfEachWorkerAreInThePlanAndInItsInfo) {
  const Pool pool = Spawn("num_workers: 4 affinity { random_subset { from: \"0-3\" count: 2 } }");
  const control::GroupPlan group = host().LastRequest(Kind::kPlan).plan().groups(0);
  ASSERT_EQ(group.worker_cpus_size(), 4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(pool.Workers()[i].cpus, group.worker_cpus(i));
}

TEST_F(PoolTest, WhatThePoolHostRefusesKeepsItsFieldAndLeavesNothing) {
  launcher_.SetManners({.plan_error = absl::InvalidArgumentError("composed[0].num_workers: 3 is odd"),
                        .plan_field = "composed[0].num_workers"});
  const absl::Status status = TrySpawn("cgroups { name: \"a\" } composed { num_workers: 3 }").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "composed[0].num_workers: 3 is odd");
  EXPECT_EQ(FieldOf(status), "composed[0].num_workers");
  EXPECT_TRUE(cgroups_.Left().empty());
  EXPECT_TRUE(host().process().reaped());
  EXPECT_TRUE(table().List().empty());
}

TEST_F(PoolTest, APoolHostThatDiesJustBeforeThePoolIsReadyFailsTheSpawn) {
  const UniqueFd page(memfd_create("telemetry", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(page.get(), sysconf(_SC_PAGESIZE)), 0);
  ASSERT_EQ(fcntl(page.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
  const auto die = [this] {
    host().Die({-1, SIGKILL});
    events_.AwaitEnd();
  };
  launcher_.SetManners({.telemetry_fd = page.get(), .on_copy = die});
  const absl::Status status = TrySpawn("").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  EXPECT_TRUE(cgroups_.Left().empty());
  EXPECT_TRUE(table().List().empty());
}

TEST_F(PoolTest, APoolHostThatCannotBeStartedLeavesNothing) {
  launcher_.FailNext(absl::ResourceExhaustedError("EMFILE"));
  EXPECT_EQ(TrySpawn("").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(cgroups_.Left().empty());
  EXPECT_TRUE(TrySpawn("").ok()) << "the next Spawn works";
}

TEST_F(PoolTest, APoolHostThatDiesOverItsPlanIsAnErrorThatSaysSo) {
  launcher_.HoldFromLaunch(Kind::kPlan);
  std::thread killer([this] {
    host().AwaitRequests(Kind::kPlan);
    host().Die({-1, 11});
  });
  const absl::Status status = TrySpawn("").status();
  killer.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("signal 11"), std::string::npos) << status;
  EXPECT_TRUE(cgroups_.Left().empty());
}

TEST_F(PoolTest, SpawnEndsAtItsDeadlineAndLeavesNothing) {
  launcher_.HoldFromLaunch(Kind::kPlan);
  const absl::Status status = table().Spawn({}, {}, Shortly()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(host().process().reaped());
  EXPECT_TRUE(cgroups_.Left().empty());
}

TEST_F(PoolTest, CgroupsOfTheSpecLiveAsLongAsThePool) {
  const Pool pool = Spawn("cgroups { name: \"a\" } cgroups { name: \"a/b\" } cgroup: \"a/b\"");
  EXPECT_EQ(cgroups_.Left(), (std::vector<std::string>{"a", "a/b"}));
  table().Drop(pool.id(), Soon());
  EXPECT_TRUE(cgroups_.Left().empty());
}

TEST_F(PoolTest, AWrongCgroupOfTheSpecIsFoundBeforeAnythingIsMade) {
  bool opened = false;
  cgroups_.OnOpen([&] { opened = true; });
  const absl::Status status =
      TrySpawn("cgroups { name: \"a\" } cgroups { name: \"b\" settings { cpu_weight: 10001 } }").status();
  EXPECT_EQ(FieldOf(status), "cgroups[1].settings.cpu_weight") << status;
  EXPECT_FALSE(opened);
  EXPECT_EQ(launcher_.launched(), 0u);
}

// ---- Place ----

TEST_F(PoolTest, PlaceAnswersForEachWorkerInTheOrderAskedFor) {
  cgroups_.Add("a", "0-3");
  Pool pool = Spawn();
  const auto outcomes = pool.Place(ToCgroup("a", {2, 0}), Soon());
  ASSERT_TRUE(outcomes.ok()) << outcomes.status();
  ASSERT_EQ(outcomes->size(), 2u);
  EXPECT_EQ((*outcomes)[0].worker_index, 2u);
  EXPECT_EQ((*outcomes)[1].cgroup, "/placed");
}

TEST_F(PoolTest, WorkersSetUpAgainOnlyWhileTheyAreAtTheGate) {
  Pool pool = Spawn();
  ASSERT_EQ(PlaceOn(pool, ToCpus("0-1")), absl::OkStatus());
  EXPECT_TRUE(host().LastRequest(Kind::kPlace).place().setup_again());
  EXPECT_EQ(host().LastRequest(Kind::kPlace).place().workers_size(), 3) << "none named: all";
  ASSERT_EQ(Start(pool), absl::OkStatus());
  ASSERT_EQ(PlaceOn(pool, ToCpus("0-1")), absl::OkStatus());
  EXPECT_FALSE(host().LastRequest(Kind::kPlace).place().setup_again());
}

TEST_F(PoolTest, PlaceRefusesWhatCannotBeMeant) {
  cgroups_.Add("a", "0-3");
  Pool pool = Spawn();
  EXPECT_EQ(FieldOf(PlaceOn(pool, ToCgroup("a", {3}))), "workers");
  EXPECT_EQ(FieldOf(PlaceOn(pool, ToCpus("0-4"))), "cpus");
  EXPECT_EQ(FieldOf(PlaceOn(pool, ToCpus(""))), "cpus");
  EXPECT_EQ(FieldOf(PlaceOn(pool, ToCpus("x"))), "cpus");
  EXPECT_EQ(PlaceOn(pool, ToCgroup("nowhere")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(host().CountRequests(Kind::kPlace), 0);
}

TEST_F(PoolTest, PartOfAProcessMovesByThreadOnly) {
  cgroups_.Add("domain", "0-3");
  cgroups_.Add("threads", "0-3", v1::THREADED);
  Pool pool = Spawn("num_workers: 3 clone_mode: THREAD");
  const absl::Status part = PlaceOn(pool, ToCgroup("domain", {1}));
  EXPECT_EQ(part.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(part.message().find("by thread"), std::string::npos) << "the hint: " << part;
  const absl::Status twice = PlaceOn(pool, ToCgroup("domain", {0, 2, 0}));
  EXPECT_EQ(twice.code(), absl::StatusCode::kInvalidArgument)
      << "three names of two workers are not all of it: " << twice;
  EXPECT_EQ(FieldOf(twice), "workers[2]");
  EXPECT_EQ(PlaceOn(pool, ToCgroup("domain")), absl::OkStatus()) << "all of it moves";
  EXPECT_EQ(PlaceOn(pool, ToCgroup("threads", {1})), absl::OkStatus());
  EXPECT_TRUE(host().LastRequest(Kind::kPlace).place().by_thread());
  PlaceTarget by_thread = ToCgroup("domain", {1});
  by_thread.unit = PlaceUnit::kThread;
  EXPECT_EQ(PlaceOn(pool, by_thread).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(PoolTest, PlaceAfterTheStopIsRefused) {
  Pool pool = Spawn();
  Collect(pool);
  ExpectWrongState(PlaceOn(pool, ToCpus("0")));
}

// ---- Start ----

TEST_F(PoolTest, StartOpensEveryGateAndTellsThePoolHost) {
  const Pool pool = Spawn();
  ASSERT_EQ(Start(pool), absl::OkStatus());
  EXPECT_EQ(pool.state(), PoolState::kStarted);
  host().AwaitRequests(Kind::kReleased);
  host().InArena([](arena::Arena& arena) {
    for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ(arena.gate()[i] & arena::kGateOpenBit, arena::kGateOpenBit);
    EXPECT_NE(arena.header().released_at_ns, 0u);
  });
}

TEST_F(PoolTest, StartTwiceIsOneStart) {
  const Pool pool = Spawn();
  const auto first = Pool::StartAll({pool}, Soon());
  const auto second = Pool::StartAll({pool}, Soon());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_FALSE(first->pools[0].already_started);
  EXPECT_TRUE(second->pools[0].already_started);
  EXPECT_EQ(first->pools[0].released_at_ns, second->pools[0].released_at_ns);
  Collect(pool);  // what was sent before has come before
  EXPECT_EQ(host().CountRequests(Kind::kReleased), 1);
}

TEST_F(PoolTest, PoolsStartedTogetherHaveOneReleaseTime) {
  const Pool one = Spawn(), two = Spawn();
  const auto started = Pool::StartAll({two, one, two}, Soon());
  ASSERT_TRUE(started.ok()) << started.status();
  ASSERT_EQ(started->pools.size(), 3u) << "in the order asked for";
  EXPECT_EQ(started->pools[0].pool_id, two.id());
  EXPECT_EQ(started->pools[0].released_at_ns, started->pools[1].released_at_ns);
  EXPECT_GT(started->release_call_ns, 0u);
}

TEST_F(PoolTest, AStoppedPoolAmongThemReleasesNone) {
  const Pool stopped = Spawn(), waiting = Spawn();
  Collect(stopped);
  ExpectWrongState(Pool::StartAll({waiting, stopped}, Soon()).status());
  EXPECT_EQ(waiting.state(), PoolState::kReady);
  host(1).InArena([](arena::Arena& arena) { EXPECT_EQ(arena.gate()[0] & arena::kGateOpenBit, 0u); });
}

TEST_F(PoolTest, StartWaitsForAPlacement) {
  Pool pool = Spawn();
  host().Hold(Kind::kPlace);
  std::thread place([&] { EXPECT_EQ(PlaceOn(pool, ToCpus("0")), absl::OkStatus()); });
  host().AwaitRequests(Kind::kPlace);
  EXPECT_EQ(Pool::StartAll({pool}, Shortly()).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(pool.state(), PoolState::kReady);
  std::thread start([&] { EXPECT_EQ(Start(pool), absl::OkStatus()); });
  host().Let(Kind::kPlace);
  place.join();
  start.join();
  EXPECT_EQ(pool.state(), PoolState::kStarted);
}

// ---- Snapshot ----

TEST_F(PoolTest, SnapshotBeforeStartIsZeros) {
  const PoolSnapshot snapshot = Snapshot(Spawn());
  EXPECT_EQ(snapshot.iterations, std::vector<uint64_t>(3, 0));
  EXPECT_EQ(snapshot.states, std::vector<WorkerState>(3, WorkerState::kBlocked));
  EXPECT_EQ(snapshot.last_cpus, std::vector<int32_t>(3, -1));
  EXPECT_FALSE(snapshot.final);
}

TEST_F(PoolTest, SnapshotsShowEachWorkersCountersAndState) {
  const Pool pool = Spawn();
  ASSERT_EQ(Start(pool), absl::OkStatus());
  host().Iterate(1, 4);
  host().EndWorker(2, arena::Exit::kSignaled, 9);
  const PoolSnapshot snapshot = Snapshot(pool);
  EXPECT_EQ(snapshot.iterations[1], 5u);
  EXPECT_EQ(snapshot.work_units[1], 5 * 1024u);
  EXPECT_EQ(snapshot.states[1], WorkerState::kRunning);
  EXPECT_EQ(snapshot.states[2], WorkerState::kDead);
  EXPECT_LT(snapshot.ages_ns[1], 60'000'000'000u);
}

TEST_F(PoolTest, CountersNeverGoBackWhateverAWorkerWrites) {
  const Pool pool = Spawn();
  ASSERT_EQ(Start(pool), absl::OkStatus());
  host().Iterate(0, 9);
  ASSERT_EQ(Snapshot(pool).iterations[0], 10u);
  host().InArena([](arena::Arena& arena) { arena.live(0).iterations = 3; });
  EXPECT_EQ(Snapshot(pool).iterations[0], 10u);
}

TEST_F(PoolTest, TheLastSnapshotIsFinalAndItsCountersAreTheReports) {
  const Pool pool = Spawn();
  ASSERT_EQ(Start(pool), absl::OkStatus());
  host().Iterate(1, 7);
  const PoolSnapshot before = Snapshot(pool);
  const KeptReports kept = Collect(pool);
  const PoolSnapshot after = Snapshot(pool);
  EXPECT_TRUE(after.final);
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(after.iterations[i], kept.reports[i].iterations());
    EXPECT_GE(kept.reports[i].work_units(), before.work_units[i]);
    EXPECT_EQ(after.states[i], WorkerState::kFinished);
  }
}

// ---- Stop ----

TEST_F(PoolTest, StopWithoutStartStartsAndLetsEveryWorkerDoSomething) {
  launcher_.SetManners({.works_at_release = false});
  const Pool pool = Spawn();
  std::thread workers([this] {
    for (uint32_t i = 0; i < 3; ++i) host().Iterate(i);
  });
  const KeptReports kept = Collect(pool);
  workers.join();
  ASSERT_EQ(kept.reports.size(), 3u);
  for (const v1::WorkerReport& report : kept.reports) EXPECT_GT(report.iterations(), 0u);
  EXPECT_NE(kept.summary.released_at_ns(), 0u);
}

TEST_F(PoolTest, StopWithoutStartDoesNotWaitForTheDead) {
  launcher_.SetManners({.works_at_release = false});
  const Pool pool = Spawn("num_workers: 1");
  host().EndWorker(0, arena::Exit::kSignaled, 9);
  const uint64_t before_ns = Snapshot(pool).taken_at_ns;
  Collect(pool);
  EXPECT_LT(Snapshot(pool).taken_at_ns - before_ns, 900'000'000u)
      << "below the bound of a second for the first iteration";
}

TEST_F(PoolTest, AStopOutlivesTheCallThatAskedForIt) {
  Pool pool = Spawn();
  ASSERT_EQ(Start(pool), absl::OkStatus());
  host().Hold(Kind::kStop);
  EXPECT_EQ(pool.Stop(Shortly()).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(pool.state(), PoolState::kStopping);
  ExpectWrongState(Start(pool));
  host().Let(Kind::kStop);
  EXPECT_EQ(pool.Stop(Soon()), absl::OkStatus()) << "waits for the same stop";
  EXPECT_EQ(host().CountRequests(Kind::kStop), 1);
  EXPECT_EQ(pool.state(), PoolState::kCollected);
}

TEST_F(PoolTest, TheStopAllowsForTheDrainOfTheWorkTypes) {
  const Pool pool = Spawn();
  Collect(pool);
  const control::Stop stop = host().LastRequest(Kind::kStop).stop();
  host().InArena([&](arena::Arena& arena) {
    EXPECT_GT(stop.deadline_ns(), arena.header().released_at_ns + 5'250'000'000);
    EXPECT_LT(stop.deadline_ns(), arena.header().stopped_at_ns + 5'250'000'000);
  });
  EXPECT_EQ(stop.reap_budget_ns(), 1'000'000'000u);
}

TEST_F(PoolTest, CallsInAnyOrderFromManyThreadsEndInOneCollection) {
  Pool pool = Spawn("num_workers: 8");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&pool] { Start(pool).IgnoreError(); });
    threads.emplace_back([&pool] { PlaceOn(pool, ToCpus("0-1")).IgnoreError(); });
    threads.emplace_back([&pool] {
      for (int k = 0; k < 20; ++k) EXPECT_TRUE(pool.Snapshot().ok());
    });
    threads.emplace_back([&pool] { EXPECT_EQ(pool.Stop(Soon()), absl::OkStatus()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool.state(), PoolState::kCollected);
  EXPECT_EQ(host().CountRequests(Kind::kStop), 1);
  EXPECT_EQ(host().CountRequests(Kind::kReleased), 1);
}

}  // namespace
}  // namespace muster
