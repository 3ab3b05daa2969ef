// What is reported of workers that end well, badly, or with their pool host.
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "daemon/pool/testing/pool_test_base.h"
#include "google/protobuf/util/message_differencer.h"

namespace muster {
namespace {

using Kind = control::Request;
using arena::Exit;

class PoolCollectTest : public PoolTestBase {
 protected:
  Pool Started(const std::string& spec = "num_workers: 3") {
    Pool pool = Spawn(spec);
    EXPECT_EQ(Start(pool), absl::OkStatus());
    host(launcher_.launched() - 1).AwaitRequests(Kind::kReleased);
    return pool;
  }
  static void ExpectLive(const v1::WorkerReport& report) {
    EXPECT_FALSE(report.has_exit_info()) << report.ShortDebugString();
    EXPECT_TRUE(report.completed());
    EXPECT_GT(report.iterations(), 0u);
  }
  static void ExpectSentinel(const v1::WorkerReport& report) {
    EXPECT_TRUE(report.has_exit_info());
    EXPECT_FALSE(report.completed());
    EXPECT_EQ(report.iterations(), 0u);
    EXPECT_EQ(report.work_units(), 0u);
    EXPECT_EQ(report.wall_time_ns(), 0u);
  }
};

TEST_F(PoolCollectTest, AlwaysOneReportPerWorkerInOrderWithItsGroup) {
  const KeptReports kept = Collect(Started("num_workers: 2 composed { num_workers: 3 comm: \"c\" }"));
  ASSERT_EQ(kept.reports.size(), 5u);
  for (uint32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(kept.reports[i].worker_index(), i);
    EXPECT_EQ(kept.reports[i].group_idx(), i < 2 ? 0u : 1u);
    ExpectLive(kept.reports[i]);
  }
  EXPECT_EQ(kept.summary.workers(), 5u);
  EXPECT_EQ(kept.summary.sentinels(), 0u);
  ASSERT_EQ(kept.summary.groups_size(), 2);
  EXPECT_EQ(kept.summary.groups(1).workers(), 3u);
}

TEST_F(PoolCollectTest, EveryBadEndIsASentinelWithItsCauseAndHarmsNoNeighbour) {
  const Pool pool = Started("num_workers: 7");
  host().LoseAtStop(0, Exit::kExited, 3);
  host().LoseAtStop(1, Exit::kSignaled, SIGSEGV);
  host().LoseAtStop(2, Exit::kTimedOut, 0);
  host().LoseAtStop(3, Exit::kStuck, 0);
  host().LoseAtStop(4, Exit::kWaitFailed, ECHILD);
  host().SpoilAtStop(5);
  const KeptReports kept = Collect(pool);
  ASSERT_EQ(kept.reports.size(), 7u);
  for (uint32_t i = 0; i < 6; ++i) ExpectSentinel(kept.reports[i]);
  EXPECT_EQ(kept.reports[0].exit_info().exited().code(), 3);
  EXPECT_EQ(kept.reports[1].exit_info().signaled().signal(), SIGSEGV);
  EXPECT_TRUE(kept.reports[2].exit_info().has_timed_out());
  EXPECT_FALSE(kept.reports[2].exit_info().timed_out().unreaped());
  EXPECT_TRUE(kept.reports[3].exit_info().timed_out().unreaped());
  EXPECT_NE(kept.reports[4].exit_info().wait_failed().error().find("ECHILD"), std::string::npos);
  EXPECT_TRUE(kept.reports[5].exit_info().has_exited()) << "garbage over the record of a worker that exited";
  ExpectLive(kept.reports[6]);
  EXPECT_EQ(kept.summary.sentinels(), 6u);
}

TEST_F(PoolCollectTest, ASentinelKeepsWhatTheWorkerHadMeasuredAndItsAge) {
  const Pool pool = Started();
  host().Iterate(1, 4);
  const uint64_t then_ns = MonotonicNs();
  host().EndWorker(1, Exit::kSignaled, SIGKILL);
  events_.AwaitDeath();
  const KeptReports kept = Collect(pool);
  ExpectSentinel(kept.reports[1]);
  ASSERT_TRUE(kept.reports[1].has_last_record());
  EXPECT_EQ(kept.reports[1].last_record().record().iterations(), 5u);
  EXPECT_FALSE(kept.reports[1].last_record().record().has_exit_info());
  EXPECT_LE(kept.reports[1].last_record().age_ns(), MonotonicNs() - then_ns + 1'000'000'000);
}

TEST_F(PoolCollectTest, AWorkerThatDiesEarlyIsToldAndCounted) {
  const Pool pool = Started();
  host().EndWorker(2, Exit::kExited, 7);
  const auto [worker, exit_info] = events_.AwaitDeath();
  EXPECT_EQ(worker, 2u);
  EXPECT_EQ(exit_info.exited().code(), 7);
  EXPECT_EQ(pool.Info().dead_workers, 1u);
}

TEST_F(PoolCollectTest, InOneProcessTheFateIsShared) {
  const Pool pool = Started("num_workers: 2 clone_mode: THREAD");
  host().LoseAtStop(0, Exit::kSignaled, SIGABRT);
  host().LoseAtStop(1, Exit::kSignaled, SIGABRT);
  const KeptReports kept = Collect(pool);
  for (const v1::WorkerReport& report : kept.reports) EXPECT_TRUE(report.exit_info().shared_fate());
}

TEST_F(PoolCollectTest, SamplesTravelUnlessTheyAreNotWanted) {
  Pool pool = Started("num_workers: 2 work { pipe_io {} } max_samples: 10");
  for (int i = 0; i < 20; ++i) host().Sample(0, 500);
  const KeptReports with = Collect(pool);
  EXPECT_EQ(with.reports[0].wake_latencies_ns_size(), 10);
  EXPECT_EQ(with.reports[0].wake_sample_total(), 20u);
  KeptReports without;
  ASSERT_EQ(pool.Collect({.without_samples = true}, &without, Soon()), absl::OkStatus());
  EXPECT_EQ(without.reports[0].wake_latencies_ns_size(), 0);
  EXPECT_EQ(without.reports[0].wake_histogram().count(), 20u);
}

TEST_F(PoolCollectTest, SamplesOfTheReapedStayWhereTheyAre) {
  const Pool pool = Started("num_workers: 2 work { pipe_io {} } max_samples: 10");
  for (int i = 0; i < 20; ++i) host().Sample(0, 500);
  const KeptReports kept = Collect(pool);
  v1::WorkerReport report;
  absl::StatusOr<SamplesInPlace> samples = pool.FillReportAroundSamples(0, &report);
  ASSERT_TRUE(samples.ok()) << samples.status();
  ASSERT_EQ(samples->wake_latencies_ns.size(), 10 * sizeof(uint64_t));
  EXPECT_EQ(report.wake_latencies_ns_size(), 0);
  for (int i = 0; i < 10; ++i) {
    uint64_t sample;
    memcpy(&sample, samples->wake_latencies_ns.data() + i * sizeof(sample), sizeof(sample));
    report.add_wake_latencies_ns(sample);
  }
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(report, kept.reports[0])) << report.DebugString();
  EXPECT_NE(samples->keeper, nullptr);
}

TEST_F(PoolCollectTest, SamplesOfTheLateAndOfSentinelsAreInTheReport) {
  Pool pool = Started("num_workers: 3 work { pipe_io {} } max_samples: 10");
  for (const uint32_t worker : {0, 1, 2}) host().Sample(worker, 500);
  host().LoseAtStop(0, Exit::kSignaled, SIGSEGV);
  host().LoseAtStop(1, Exit::kTimedOut, 0);
  host().LoseAtStop(2, Exit::kStuck, 0);
  const KeptReports kept = Collect(pool);
  for (const uint32_t worker : {0, 1, 2}) {
    v1::WorkerReport report;
    const absl::StatusOr<SamplesInPlace> samples = pool.FillReportAroundSamples(worker, &report);
    ASSERT_TRUE(samples.ok()) << samples.status();
    EXPECT_TRUE(samples->wake_latencies_ns.empty());
    EXPECT_EQ(report.last_record().record().wake_latencies_ns_size(), 1);
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(report, kept.reports[worker]));
  }
}

TEST_F(PoolCollectTest, CollectingAgainGivesTheSameReportsFromAnyWorkerOn) {
  cgroups_.SetOomKills("c", 0);
  cgroups_.Add("c", "0-3");
  Pool pool = Started("num_workers: 3 cgroup: \"c\"");
  host().EndWorker(0, Exit::kSignaled, SIGKILL);
  events_.AwaitDeath();
  const KeptReports first = Collect(pool);
  cgroups_.SetOomKills("c", 5);  // of somebody else, afterwards
  KeptReports second;
  ASSERT_EQ(pool.Collect({.from_worker = 0}, &second, Soon()), absl::OkStatus());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(first.reports[i], second.reports[i]))
        << first.reports[i].DebugString() << second.reports[i].DebugString();
  }
  KeptReports rest;
  ASSERT_EQ(pool.Collect({.from_worker = 2}, &rest, Soon()), absl::OkStatus());
  ASSERT_EQ(rest.reports.size(), 1u);
  EXPECT_EQ(rest.reports[0].worker_index(), 2u);
  KeptReports none;
  ASSERT_EQ(pool.Collect({.from_worker = 3}, &none, Soon()), absl::OkStatus());
  EXPECT_EQ(none.summary.workers(), 3u) << "the summary is of the whole pool";
  EXPECT_EQ(pool.Collect({.from_worker = 4}, &none, Soon()).code(), absl::StatusCode::kOutOfRange);
}

TEST_F(PoolCollectTest, TwoClientsMayCollectAtOnce) {
  Pool pool = Started("num_workers: 50");
  KeptReports one, two;
  std::thread other([&] { EXPECT_EQ(pool.Collect({}, &two, Soon()), absl::OkStatus()); });
  EXPECT_EQ(pool.Collect({}, &one, Soon()), absl::OkStatus());
  other.join();
  EXPECT_EQ(one.reports.size(), 50u);
  EXPECT_EQ(two.reports.size(), 50u);
  EXPECT_EQ(host().CountRequests(Kind::kStop), 1);
}

TEST_F(PoolCollectTest, ASinkThatWantsNoMoreEndsTheCollectionAndLosesNothing) {
  Pool pool = Started();
  KeptReports kept;
  kept.most = 1;
  EXPECT_EQ(pool.Collect({}, &kept, Soon()).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Collect(pool).reports.size(), 3u);
}

TEST_F(PoolCollectTest, OneReportAtATimeIsForCollectedPoolsOnly) {
  Pool pool = Started();
  v1::WorkerReport report;
  EXPECT_EQ(pool.FillReport(0, false, &report).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(pool.FillReportAroundSamples(0, &report).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(pool.Summary().status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(pool.Stop(Soon()), absl::OkStatus());
  EXPECT_EQ(pool.FillReport(2, false, &report), absl::OkStatus());
  EXPECT_EQ(pool.FillReport(3, false, &report).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(pool.FillReportAroundSamples(3, &report).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(PoolCollectTest, TheSummaryTellsTimesAndTheDeadlineUsed) {
  const KeptReports kept = Collect(Started());
  EXPECT_EQ(kept.summary.pool_id(), "p1");
  EXPECT_EQ(kept.summary.deadline().seconds(), 5);
  EXPECT_EQ(kept.summary.deadline().nanos(), 250'000'000) << "with the drain bound of the fake's work types";
  EXPECT_GT(kept.summary.stopped_at_ns(), kept.summary.released_at_ns());
  EXPECT_GT(kept.summary.reap_ns(), 0u);
  EXPECT_EQ(kept.summary.pool_host_error(), "");
}

TEST_F(PoolCollectTest, WhatTheDaemonUsedBeforeTheStartIsNotInTheSummary) {
  Pool pool = Spawn();
  const uint64_t until_ns = ClockNs(CLOCK_PROCESS_CPUTIME_ID) + 200'000'000;
  while (ClockNs(CLOCK_PROCESS_CPUTIME_ID) < until_ns) {
  }
  ASSERT_EQ(Start(pool), absl::OkStatus());
  EXPECT_LT(Collect(pool).summary.daemon_cpu_ns(), 150'000'000u);
}

// ---- Evidence of the out-of-memory killer ----

TEST_F(PoolCollectTest, ASigkillWithAnOomKillInTheCgroupIsMarked) {
  cgroups_.Add("limited", "0-3");
  cgroups_.Add("free", "0-3");
  cgroups_.SetOomKills("limited", 4);
  cgroups_.SetOomKills("free", 0);
  const Pool pool = Started("num_workers: 2 cgroup: \"limited\" composed { num_workers: 1 cgroup: \"free\" }");
  cgroups_.SetOomKills("limited", 5);
  for (const uint32_t worker : {0u, 2u}) host().LoseAtStop(worker, Exit::kSignaled, SIGKILL);
  host().LoseAtStop(1, Exit::kSignaled, SIGSEGV);
  const KeptReports kept = Collect(pool);
  EXPECT_TRUE(kept.reports[0].exit_info().signaled().oom_killed());
  EXPECT_FALSE(kept.reports[1].exit_info().signaled().oom_killed()) << "a segmentation fault is none";
  EXPECT_FALSE(kept.reports[2].exit_info().signaled().oom_killed()) << "another cgroup";
}

// ---- The pool host dies ----

TEST_F(PoolCollectTest, WorkersOfADeadPoolHostEndAsMusterdReapedThem) {
  Pool pool = Started();
  host().Iterate(0, 3);
  host().Die({-1, SIGKILL});
  for (pid_t pid = 10'000; pid < 10'003; ++pid) table().RecordStray(pid, {-1, SIGKILL});
  EXPECT_EQ(events_.AwaitEnd(), absl::StrCat("pool host ", host().process().pid(), " was killed by signal 9"));
  EXPECT_EQ(pool.state(), PoolState::kCollected);
  const KeptReports kept = Collect(pool);
  ASSERT_EQ(kept.reports.size(), 3u);
  for (const v1::WorkerReport& report : kept.reports) {
    ExpectSentinel(report);
    EXPECT_EQ(report.exit_info().signaled().signal(), SIGKILL);
  }
  EXPECT_EQ(kept.reports[0].last_record().record().iterations(), 4u);
  EXPECT_NE(kept.summary.pool_host_error(), "");
  EXPECT_EQ(cgroups_.Killed(), std::vector<std::string>{".pool-p1"}) << "whatever had left the workers";
  EXPECT_EQ(pool.Info().dead_workers, 3u);
}

TEST_F(PoolCollectTest, TheReapingMayComeBeforeTheNewsOfTheDeath) {
  Pool pool = Started("num_workers: 1");
  table().RecordStray(10'000, {-1, SIGKILL});
  host().Die({-1, SIGKILL});
  events_.AwaitEnd();
  EXPECT_EQ(Collect(pool).reports[0].exit_info().signaled().signal(), SIGKILL);
}

TEST_F(PoolCollectTest, WhoWasReapedByThePoolHostKeepsThatEnd) {
  Pool pool = Started("num_workers: 1");
  host().EndWorker(0, Exit::kExited, 5);
  events_.AwaitDeath();
  host().Die({-1, SIGKILL});
  table().RecordStray(10'000, {-1, SIGTERM});  // the number was used again
  events_.AwaitEnd();
  EXPECT_EQ(Collect(pool).reports[0].exit_info().exited().code(), 5);
}

TEST_F(PoolCollectTest, AStrayIsTheWorkersOfThePoolThatStillMissesIt) {
  // The first pool's worker has ended; the second one's got its number.
  Pool old_pool = Started("num_workers: 1");
  host(0).EndWorker(0, Exit::kExited, 0);
  events_.AwaitDeath();
  Pool new_pool = Started("num_workers: 1");
  host(1).Die({-1, SIGKILL});
  table().RecordStray(10'000, {-1, SIGKILL});
  events_.AwaitEnd();
  EXPECT_EQ(Collect(new_pool).reports[0].exit_info().signaled().signal(), SIGKILL);
}

TEST_F(PoolCollectTest, AWorkerThatNobodyCouldReapSaysWhy) {
  Pool pool = Started("num_workers: 1");
  host().Die({1, 0});
  events_.AwaitEnd();
  const KeptReports kept = Collect(pool);
  EXPECT_NE(kept.reports[0].exit_info().wait_failed().error().find("exited with code 1"), std::string::npos)
      << kept.reports[0].exit_info().ShortDebugString();
}

TEST_F(PoolCollectTest, APoolHostThatDiesAtTheGateLeavesReports) {
  Pool pool = Spawn();
  host().Die({-1, SIGKILL});
  for (pid_t pid = 10'000; pid < 10'003; ++pid) table().RecordStray(pid, {-1, SIGKILL});
  events_.AwaitEnd();
  EXPECT_EQ(Start(pool).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Collect(pool).reports.size(), 3u);
}

// To a client UNAVAILABLE is a broken connection, after which it calls again.
TEST_F(PoolCollectTest, APlaceOverWhichThePoolHostDiesIsNoBrokenConnection) {
  Pool pool = Started();
  host().Hold(Kind::kPlace);
  std::thread killer([this] {
    host().AwaitRequests(Kind::kPlace);
    host().Die({-1, SIGKILL});
    // The workers' own ends, for which the pool waits before it counts as collected, come only after the answer.
  });
  PlaceTarget target;
  target.to_cpus = true;
  target.cpus = "0";
  const absl::Status status = pool.Place(target, Soon()).status();
  killer.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.message().find("signal 9; collect its reports, or drop it"), std::string::npos) << status;
  for (pid_t pid = 10'000; pid < 10'003; ++pid) table().RecordStray(pid, {-1, SIGKILL});
  EXPECT_EQ(Collect(pool).reports.size(), 3u);
}

TEST_F(PoolCollectTest, APoolHostThatDiesOverTheStopEndsTheStop) {
  Pool pool = Started();
  host().Hold(Kind::kStop);
  std::thread killer([this] {
    host().AwaitRequests(Kind::kStop);
    host().Die({-1, SIGKILL});
    for (pid_t pid = 10'000; pid < 10'003; ++pid) table().RecordStray(pid, {-1, SIGKILL});
  });
  EXPECT_EQ(Collect(pool).reports.size(), 3u);
  killer.join();
}

TEST_F(PoolCollectTest, APoolHostThatDoesNotAnswerTheStopIsKilledAndThePoolCollected) {
  environment_.limits.collect_deadline = absl::Milliseconds(10);
  environment_.limits.reap_budget = absl::Milliseconds(10);
  Pool pool = Started("num_workers: 1");
  host().Hold(Kind::kStop);
  table().RecordStray(10'000, {-1, SIGKILL});
  const KeptReports kept = Collect(pool);
  ExpectSentinel(kept.reports.at(0));
  EXPECT_TRUE(host().process().killed());
}

TEST_F(PoolCollectTest, TenThousandStraysAreMatchedInTime) {
  Pool pool = Started("num_workers: 10000");
  host().Die({-1, SIGKILL});
  for (pid_t pid = 19'999; pid >= 10'000; --pid) table().RecordStray(pid, {-1, SIGKILL});
  events_.AwaitEnd();
  EXPECT_EQ(Collect(pool).reports.at(9'999).exit_info().signaled().signal(), SIGKILL);
}

}  // namespace
}  // namespace muster
