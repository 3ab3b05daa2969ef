// No type can hang a stop: each is stopped while it is blocked in each of its blocking calls.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/cgroup_testing.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"
#include "worker/work/testing/private_network.h"
#include "worker/work/testing/real_time.h"

namespace muster {
namespace {

constexpr uid_t kNobody = 65534;
// Longer than any member's run, shorter than the sleeps.
constexpr absl::Duration kStopAhead = absl::Minutes(59);

struct BlockingCall {
  const char* name;
  const char* work;
  std::vector<uint32_t> positions;  // that run; the last one, or with `any` some one, blocks
  bool any = false;
  bool real_time = false;
  bool unprivileged = false;  // real-time classes are refused, so that its members run beside each other
  bool ends_itself = false;   // also without the stop's cutting it: by its time, or when the stop frees the lock
};
void PrintTo(const BlockingCall& call, std::ostream* out) { *out << call.name; }

class BlockingCallTest : public testing::TestWithParam<BlockingCall> {
 protected:
  void SetUp() override {
    if (!EnterPrivateNetwork()) GTEST_SKIP() << "needs CAP_SYS_ADMIN for a network of its own";
    if (GetParam().real_time && !RealTimeIsAllowed()) GTEST_SKIP() << "no real-time work here";
  }

  GroupRunOptions Options(bool threads) const {
    GroupRunOptions options;
    options.work = ResolvedWork(GetParam().work);
    options.threads = threads;
    options.stop_ahead = kStopAhead;
    options.only = GetParam().positions;
    if (GetParam().real_time) options.cpu_of = [](const WorkerPlace&) { return 1; };
    options.before = [this](const WorkerPlace&) {
      ASSERT_TRUE(cgroup_.dir().MoveSelfHere().ok());
      ASSERT_EQ(seteuid(GetParam().unprivileged ? kNobody : geteuid()), 0);
    };
    return options;
  }

  bool IsBlocked(const GroupRun& run) const {
    if (!GetParam().any) return run.WaitBlocked(run.size() - 1, absl::Seconds(10));
    for (uint32_t member = 0; member < run.size(); ++member) {
      if (run.WaitBlocked(member, absl::Seconds(5))) return true;
    }
    return false;
  }

  // The member whose call was cut, or one of those that may be it.
  bool HasNoGap(const GroupRun& run) const {
    for (uint32_t member = GetParam().any ? 0 : run.size() - 1; member < run.size(); ++member) {
      if (absl::Nanoseconds(run.result(member).max_gap_ns) < kStopAhead) return true;
    }
    return false;
  }

  const ScratchCgroup cgroup_;
};

TEST_P(BlockingCallTest, EndsAtAStopAndIsNoGap) {
  const v1::Work work = ResolvedWork(GetParam().work);
  for (const bool threads : {false, true}) {
    if (threads && !FindWorkType(work.type_case())->Describe().runs_in_threads) continue;
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(Options(threads));
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_TRUE(IsBlocked(**run)) << "it never came to its call";
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << (threads ? "threads: " : "processes: ") << stopped;
    EXPECT_TRUE(GetParam().ends_itself || HasNoGap(**run)) << "the wait counts as starvation";
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BlockingCallTest,
    testing::Values(BlockingCall{"PipeIoRead", "pipe_io {}", {0}},
                    BlockingCall{"PipeIoReadOfTheSecond", "pipe_io {}", {1}},
                    BlockingCall{"CachePipeRead", "cache_pipe {}", {1}},
                    BlockingCall{"FutexPingPongTurn", "futex_ping_pong {}", {0}},
                    BlockingCall{"FutexPingPongFirstTurn", "futex_ping_pong {}", {1}},
                    BlockingCall{"FutexFanOutGeneration", "futex_fan_out {}", {1}},
                    BlockingCall{"FanOutComputeGeneration", "fan_out_compute {}", {1}},
                    BlockingCall{"FanOutComputeThink", "fan_out_compute { sleep_usec: 3600000000 }", {0, 1}},
                    BlockingCall{"MutexContentionLock",
                                 "mutex_contention { hold_iters: 1000000000 work_iters: 0 }",
                                 {0, 1},
                                 true,
                                 false,
                                 false,
                                 true},
                    BlockingCall{"ThunderingHerdGeneration", "thundering_herd {}", {1}},
                    BlockingCall{"ThunderingHerdPause", "thundering_herd { inter_batch_ms: 3600000 }", {0}},
                    BlockingCall{"PriorityInversionLock",
                                 "priority_inversion { hold_iters: 1000000000 work_iters: 0 }",
                                 {0, 2},
                                 true,
                                 false,
                                 true,
                                 true},
                    BlockingCall{"PriorityInversionPiLock",
                                 "priority_inversion { hold_iters: 1000000000 work_iters: 0 pi_mode: PI }",
                                 {0, 2},
                                 true,
                                 false,
                                 true,
                                 true},
                    BlockingCall{"ProducerOfAFullQueue",
                                 "producer_consumer_imbalance { produce_rate_hz: 1000000000 queue_depth_target: 1 }",
                                 {0}},
                    BlockingCall{"ProducerBetweenItems",
                                 "producer_consumer_imbalance { produce_rate_hz: 1 }",
                                 {0},
                                 false,
                                 false,
                                 false,
                                 true},
                    BlockingCall{"ConsumerOfAnEmptyQueue", "producer_consumer_imbalance {}", {2}},
                    BlockingCall{"AsymmetricWakerWakee", "asymmetric_waker {}", {1}},
                    BlockingCall{"WakeChainPipe", "wake_chain { depth: 2 }", {1}},
                    BlockingCall{"WakeChainFutex", "wake_chain { depth: 2 wake: FUTEX }", {1}},
                    BlockingCall{"NumaWorkingSetSweepPause",
                                 "numa_working_set_sweep { region_kib: 4 sweep_period_ms: 3600000 }",
                                 {0}},
                    BlockingCall{"NumaMigrationChurnPause", "numa_migration_churn { period_ms: 3600000 }", {0}},
                    BlockingCall{"CgroupChurnPause", "cgroup_churn { cycle_ms: 3600000 }", {0}},
                    BlockingCall{"SignalStormPartner", "signal_storm {}", {1}},
                    BlockingCall{"PreemptStormPause", "preempt_storm { rt_sleep_us: 3600000000 }", {0}, false, true},
                    BlockingCall{"EpollStormWait", "epoll_storm {}", {1}},
                    BlockingCall{"EpollStormPause", "epoll_storm { pause_us: 3600000000 }", {0}},
                    BlockingCall{"IdleChurnSleep", "idle_churn { sleep_duration { seconds: 3600 } }", {0}},
                    BlockingCall{"BurstySleep", "bursty { burst_duration {} sleep_duration { seconds: 3600 } }", {0}},
                    BlockingCall{"TimerLatencyDeadline", "timer_latency { interval_us: 3600000000 }", {0}},
                    BlockingCall{"SequenceSleep", "sequence { phases { sleep { duration { seconds: 3600 } } } }", {0}},
                    BlockingCall{"NetTrafficPause", "net_traffic { interface: 'lo' interval_us: 3600000000 }", {0}},
                    BlockingCall{"IrqWakePause", "irq_wake { interface: 'lo' interval_us: 3600000000 }", {0}},
                    BlockingCall{"IrqWakeReceive", "irq_wake { interface: 'lo' }", {1}}),
    [](const auto& one) { return std::string(one.param.name); });

// Lets the member's next child be born stopped, so that the member blocks in its wait for it.
void StopNextChild(pid_t member) {
  ASSERT_EQ(ptrace(PTRACE_SEIZE, member, nullptr, PTRACE_O_TRACEFORK), 0);
  int status = 0;
  do {
    ASSERT_EQ(waitpid(member, &status, __WALL), member);
    ASSERT_TRUE(WIFSTOPPED(status));
    if (status >> 8 != (SIGTRAP | PTRACE_EVENT_FORK << 8)) ptrace(PTRACE_CONT, member, nullptr, WSTOPSIG(status));
  } while (status >> 8 != (SIGTRAP | PTRACE_EVENT_FORK << 8));
  unsigned long child = 0;
  ASSERT_EQ(ptrace(PTRACE_GETEVENTMSG, member, nullptr, &child), 0);
  ASSERT_EQ(waitpid(static_cast<pid_t>(child), &status, __WALL), static_cast<pid_t>(child));
  ASSERT_EQ(kill(static_cast<pid_t>(child), SIGSTOP), 0);
  ASSERT_EQ(ptrace(PTRACE_DETACH, static_cast<pid_t>(child), nullptr, nullptr), 0);
  ASSERT_EQ(ptrace(PTRACE_DETACH, member, nullptr, nullptr), 0);
}

class WaitForChildTest : public testing::Test {
 protected:
  void StopInTheWait(const std::string& work) {
    GroupRunOptions options;
    options.work = ResolvedWork(work);
    options.stop_ahead = kStopAhead;
    options.before = [this](const WorkerPlace&) { ASSERT_TRUE(home_.MoveSelfHere().ok()); };
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
    ASSERT_TRUE(run.ok()) << run.status();
    StopNextChild((*run)->tid(0));
    EXPECT_TRUE((*run)->WaitBlocked(0, absl::Seconds(10)));
    const absl::Status stopped = (*run)->Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
    EXPECT_LT(absl::Nanoseconds((*run)->result(0).max_gap_ns), kStopAhead) << "the wait counts as starvation";
  }

  const ScratchCgroup scratch_;
  const CgroupDir home_ = *scratch_.dir().Create("home");
  const CgroupDir dest_ = *scratch_.dir().Create("dest");
};

TEST_F(WaitForChildTest, OfForkExitEndsAtAStop) { StopInTheWait("fork_exit {}"); }

TEST_F(WaitForChildTest, OfCgroupAttachStormEndsAtAStop) {
  StopInTheWait("cgroup_attach_storm { reap: REAP_WAITPID }");
}

}  // namespace
}  // namespace muster
