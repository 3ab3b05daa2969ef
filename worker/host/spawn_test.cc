// Pools of every shape, from plan to gate to a good end.
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/test_run.h"
#include "gtest/gtest.h"
#include "worker/host/testing/pool_host_test_base.h"

namespace muster::host {
namespace {

using arena::Exit;
using arena::State;

class SpawnTest : public PoolHostTestBase {
 protected:
  // Spawns, runs until everybody has counted something, stops; all must have ended well.
  void LiveAWholeLife(const SpawnRequest& request) { LiveAWholeLife(request, host_); }

  static void LiveAWholeLife(const SpawnRequest& request, HostDriver& host) {
    const control::Reply spawned = host.Spawn(request);
    ASSERT_EQ(spawned.code(), 0) << spawned.message();
    host.Start();
    ASSERT_TRUE(host.AwaitAllRunning());
    ASSERT_TRUE(Eventually([&host] { return AllHaveIterations(host); }));
    ASSERT_EQ(host.Stop(absl::Seconds(60)).code(), 0);
    for (uint32_t worker = 0; worker < host.arena().num_workers(); ++worker) {
      EXPECT_EQ(host.ExitOf(worker), Exit::kExited) << "worker " << worker;
      EXPECT_EQ(host.ExitValueOf(worker), 0) << "worker " << worker;
      EXPECT_EQ(host.StateOf(worker), State::kFinished) << "worker " << worker;
    }
  }

  static bool AllHaveIterations(const HostDriver& host) {
    for (uint32_t worker = 0; worker < host.arena().num_workers(); ++worker) {
      if (host.IterationsOf(worker) == 0) return false;
    }
    return true;
  }

  std::set<pid_t> Pids() const {
    std::set<pid_t> pids;
    for (uint32_t worker = 0; worker < host_.arena().num_workers(); ++worker) pids.insert(host_.PidOf(worker));
    return pids;
  }
  std::set<pid_t> Tids() const {
    std::set<pid_t> tids;
    for (uint32_t worker = 0; worker < host_.arena().num_workers(); ++worker) tids.insert(host_.TidOf(worker));
    return tids;
  }
  static std::string CommOf(pid_t pid, pid_t tid) {
    return ReadFile(absl::StrCat("/proc/", pid, "/task/", tid, "/comm")).value_or("");
  }

  HostDriver host_;
};

TEST_F(SpawnTest, EachWorkerIsAProcessOfItsOwnInItsOwnGroup) {
  ASSERT_EQ(host_.Spawn("num_workers: 5").code(), 0);
  EXPECT_EQ(Pids().size(), 5u);
  EXPECT_EQ(Pids(), Tids());
  for (const pid_t pid : Pids()) EXPECT_EQ(getpgid(pid), pid);
}

TEST_F(SpawnTest, PairsOverPipesRunInProcesses) { LiveAWholeLife({.spec = "num_workers: 6 work { pipe_io {} }"}); }

TEST_F(SpawnTest, PairsOverSharedMemoryRunInProcesses) {
  LiveAWholeLife({.spec = "num_workers: 4 work { futex_ping_pong {} }"});
}

TEST_F(SpawnTest, ThreadsShareOneProcess) {
  LiveAWholeLife({.spec = "num_workers: 4 clone_mode: THREAD"});
  EXPECT_EQ(Pids().size(), 1u);
  EXPECT_EQ(Tids().size(), 4u);
  EXPECT_EQ(Tids().count(*Pids().begin()), 0u) << "the process's main thread is no worker";
}

TEST_F(SpawnTest, PairsOverPipesRunInThreads) {
  LiveAWholeLife({.spec = "num_workers: 6 work { pipe_io {} } clone_mode: THREAD"});
}

TEST_F(SpawnTest, PairsOverSharedMemoryRunInThreads) {
  LiveAWholeLife({.spec = "num_workers: 4 work { futex_ping_pong {} } clone_mode: THREAD"});
}

TEST_F(SpawnTest, ComposedGroupsKeepTheirWorkAndOrder) {
  LiveAWholeLife(
      {.spec =
           "num_workers: 1 composed { num_workers: 2 work { pipe_io {} } } composed { num_workers: 3 comm: 'third' }"});
}

TEST_F(SpawnTest, ComposedGroupsRunInOneProcessToo) {
  LiveAWholeLife(
      {.spec = "clone_mode: THREAD composed { num_workers: 2 work { pipe_io {} } } composed { num_workers: 3 }"});
}

TEST_F(SpawnTest, PcommNamesTheProcessAndItsThreadsKeepTheirOwnNames) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 comm: 'thread' pcomm { name: 'leader' }").code(), 0);
  const pid_t pid = *Pids().begin();
  EXPECT_EQ(CommOf(pid, pid), "leader\n");
  for (const pid_t tid : Tids()) EXPECT_EQ(CommOf(pid, tid), "thread\n");
}

TEST_F(SpawnTest, PcommTakesItsIdentityAndStillDiesWithItsHost) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 pcomm { name: 'leader' uid: 65534 gid: 65534 }").code(), 0);
  const pid_t pid = *Pids().begin();
  const std::string status = ReadFile(absl::StrCat("/proc/", pid, "/status")).value_or("");
  EXPECT_NE(status.find("Uid:\t65534\t65534\t65534\t65534"), std::string::npos) << status;
  EXPECT_NE(status.find("Gid:\t65534\t65534\t65534\t65534"), std::string::npos) << status;
  kill(host_.pid(), SIGKILL);
  EXPECT_NE(host_.AwaitEnd(), -1);
  EXPECT_TRUE(Eventually([&] { return waitpid(pid, nullptr, WNOHANG) == pid; }));
}

TEST_F(SpawnTest, AHostThatMayNotBeRealTimeServesAllTheSame) {
  HostOptions options;
  options.in_host = [] {
    const rlimit none = {0, 0};
    if (setrlimit(RLIMIT_RTPRIO, &none) != 0 || setresuid(65534, 65534, 65534) != 0) _exit(1);
  };
  HostDriver host(options);
  LiveAWholeLife({.spec = "num_workers: 2", .control_priority = 1}, host);
}

TEST_F(SpawnTest, WorkersDieWithTheirHost) {
  ASSERT_EQ(host_.Spawn("num_workers: 3 uid: 65534").code(), 0);
  const std::set<pid_t> pids = Pids();
  host_.Start();
  ASSERT_TRUE(host_.AwaitAllRunning());
  kill(host_.pid(), SIGKILL);
  EXPECT_NE(host_.AwaitEnd(), -1);
  for (const pid_t pid : pids) {
    EXPECT_TRUE(Eventually([&] { return waitpid(pid, nullptr, WNOHANG) == pid; }));
  }
}

TEST_F(SpawnTest, AWorkerKeepsOnlyItsOwnDescriptors) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 composed { num_workers: 4 work { pipe_io {} } }").code(), 0);
  for (const pid_t pid : Pids()) {
    for (int fd = 3; fd < 64; ++fd) {
      char target[256] = {};
      if (readlink(absl::StrCat("/proc/", pid, "/fd/", fd).c_str(), target, sizeof(target) - 1) < 0) continue;
      EXPECT_EQ(std::string(target).find("muster-arena"), std::string::npos) << fd;
      EXPECT_EQ(std::string(target).find("socket"), std::string::npos) << fd;
    }
  }
}

TEST_F(SpawnTest, TheHostKeepsNoDescriptorPerWorker) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 work { pipe_io {} }").code(), 0);
  const auto count = [this] {
    int fds = 0;
    for (int fd = 0; fd < 256; ++fd) fds += access(absl::StrCat("/proc/", host_.pid(), "/fd/", fd).c_str(), F_OK) == 0;
    return fds;
  };
  HostDriver large;
  ASSERT_EQ(large.Spawn("num_workers: 40 work { pipe_io {} }").code(), 0);
  int fds = 0;
  for (int fd = 0; fd < 256; ++fd) fds += access(absl::StrCat("/proc/", large.pid(), "/fd/", fd).c_str(), F_OK) == 0;
  EXPECT_EQ(fds, count());
}

TEST_F(SpawnTest, LargePoolsAreMadeByHelpersThatAreGoneAfterwards) {
  LiveAWholeLife({.spec = "num_workers: 150 work { pipe_io {} } composed { num_workers: 51 }", .spawners = 2});
}

TEST_F(SpawnTest, WorkersOfHelpersAreTheHostsChildren) {
  ASSERT_EQ(host_.Spawn({.spec = "num_workers: 128", .spawners = 2}).code(), 0);
  for (const pid_t pid : Pids()) {
    const std::string status = ReadFile(absl::StrCat("/proc/", pid, "/status")).value_or("");
    EXPECT_NE(status.find(absl::StrCat("PPid:\t", host_.pid(), "\n")), std::string::npos) << status;
  }
}

// Real-time classes need a privilege, and a CPU cgroup that has real-time runtime.
bool MayBeRealTime() {
  const pid_t pid = fork();
  if (pid == 0) {
    const sched_param parameters = {1};
    _exit(sched_setscheduler(0, SCHED_FIFO, &parameters) == 0 ? 0 : 1);
  }
  int status = 1;
  return waitpid(pid, &status, 0) == pid && status == 0;
}

TEST_F(SpawnTest, WorkersStartAsOrdinaryTasksWhateverTheirMakers) {
  if (!MayBeRealTime()) GTEST_SKIP() << "SCHED_FIFO is not permitted here";
  ASSERT_EQ(host_.Spawn({.spec = "num_workers: 128", .spawners = 2, .control_priority = 1}).code(), 0);
  EXPECT_EQ(sched_getscheduler(host_.pid()) & ~SCHED_RESET_ON_FORK, SCHED_FIFO);
  for (const pid_t pid : Pids()) {
    EXPECT_EQ(sched_getscheduler(pid), SCHED_OTHER);
    EXPECT_EQ(getpriority(PRIO_PROCESS, pid), 0);
  }
}

TEST_F(SpawnTest, AThousandWorkersOfTheWorkerBinaryLiveAWholeLife) {
  HostDriver host({.binary = getenv("MUSTER_WORKER")});
  constexpr int workers = kUnderSanitizer ? 100 : 1000;  // each is some hundred times as dear there
  // Sleepers: a thousand spinners would need seconds of CPU time to get a slice each.
  LiveAWholeLife({.spec = absl::StrCat("num_workers: ", workers,
                                       " work { timer_latency { interval_us: 1000000 } } max_samples: 10"),
                  .spawners = 2},
                 host);
}

TEST_F(SpawnTest, RealTimeGroupsAreWokenBeforeOrdinaryOnesAndIdleOnesLast) {
  ASSERT_EQ(
      host_
          .Spawn("sched_policy { idle {} } composed { num_workers: 2 } composed { num_workers: 1 sched_policy { fifo "
                 "{ priority: 1 } } } composed { num_workers: 1 sched_policy { batch {} } }")
          .code(),
      0);
  const uint32_t* const order = host_.arena().wake_order();
  EXPECT_EQ(std::vector<uint32_t>(order, order + 5), std::vector<uint32_t>({3, 1, 2, 4, 0}));
}

TEST_F(SpawnTest, APoolThatNeverStartedStopsWithoutAnIteration) {
  ASSERT_EQ(host_.Spawn("num_workers: 3").code(), 0);
  EXPECT_EQ(host_.Stop().code(), 0);
  for (uint32_t worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(host_.StateOf(worker), State::kFinished);
    EXPECT_EQ(host_.IterationsOf(worker), 0u);
    EXPECT_EQ(host_.arena().control(worker).final.completed, 0u);
  }
}

TEST_F(SpawnTest, BlockedWorkersStopLongBeforeTheyWouldWake) {
  ASSERT_EQ(
      host_.Spawn("num_workers: 4 work { bursty { burst_duration { nanos: 1000 } sleep_duration { seconds: 60 } } }")
          .code(),
      0);
  host_.Start();
  ASSERT_TRUE(host_.AwaitAllRunning());
  const absl::Time before = absl::Now();
  EXPECT_EQ(host_.Stop().code(), 0);
  EXPECT_LT(absl::Now() - before, absl::Milliseconds(500));
  for (uint32_t worker = 0; worker < 4; ++worker) EXPECT_EQ(host_.ExitOf(worker), Exit::kExited);
}

TEST_F(SpawnTest, StopTwiceAndKillAfterwardsAreAnswered) {
  ASSERT_EQ(host_.Spawn("num_workers: 2").code(), 0);
  host_.Start();
  EXPECT_EQ(host_.Stop().code(), 0);
  EXPECT_EQ(host_.Stop().code(), 0);
  EXPECT_EQ(host_.Kill().code(), 0);
  EXPECT_EQ(host_.AwaitEnd(), 0);
}

TEST_F(SpawnTest, AKillCutsAStopShort) {
  ASSERT_EQ(host_.Spawn("num_workers: 1").code(), 0);
  kill(host_.PidOf(0), SIGSTOP);
  control::Request stop;
  stop.mutable_stop()->set_deadline_ns(UINT64_MAX);
  stop.mutable_stop()->set_reap_budget_ns(1'000'000'000);
  const uint64_t stopped = host_.Send(stop);
  EXPECT_EQ(host_.Kill().code(), 0);
  EXPECT_EQ(host_.Await(stopped).code(), 0);
  EXPECT_EQ(host_.ExitOf(0), Exit::kTimedOut);
}

TEST_F(SpawnTest, AHostWithoutAPoolAnswersInWords) {
  EXPECT_EQ(host_.Place({}).code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(host_.Stop().code(), 0);
}

}  // namespace
}  // namespace muster::host
