// Workers that do what they should not: the pool host gives the right account of each, harms no neighbour, and leaves
// nothing.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/file_io.h"
#include "gtest/gtest.h"
#include "worker/host/testing/pool_host_test_base.h"

namespace muster::host {
namespace {

using arena::Exit;
using arena::State;

// A deadline that some worker will miss, and its neighbours keep on a busy machine.
constexpr absl::Duration kShort = absl::Milliseconds(1500);

// Worker 0 misbehaves, worker 1 spins.
std::string SpecWith(absl::string_view words, absl::string_view more = "") {
  return absl::StrCat("work { custom { label: 'm' function { name: 'misbehave' config: '", words,
                      "' } } } composed { num_workers: 1 } ", more);
}

class MisbehaviourTest : public PoolHostTestBase {
 protected:
  // Runs both until `running`, stops them, and checks that the neighbour had a good life.
  void RunAndStop(absl::string_view words, absl::Duration deadline = absl::Seconds(20)) {
    const control::Reply spawned = host_.Spawn(SpecWith(words));
    ASSERT_EQ(spawned.code(), 0) << spawned.message();
    StartAndAwaitActs();
    EXPECT_EQ(host_.Deaths(deaths_expected_).size(), deaths_expected_);
    EXPECT_EQ(host_.Stop(deadline).code(), 0);
    EXPECT_EQ(host_.ExitOf(1), Exit::kExited);
    EXPECT_EQ(host_.ExitValueOf(1), 0);
    EXPECT_EQ(host_.StateOf(1), State::kFinished);
  }

  void StartAndAwaitActs() {
    host_.Start();
    ASSERT_TRUE(Eventually([this] { return host_.IterationsOf(0) > 0 && host_.IterationsOf(1) > 10; }));
  }

  void EndHost() {
    EXPECT_EQ(host_.Kill().code(), 0);
    EXPECT_EQ(host_.AwaitEnd(), 0);
  }

  // The pool host takes in what its workers leave. A grandchild blocks every signal and never ends by itself: what is
  // gone from here was killed.
  size_t Orphans() const {
    const absl::StatusOr<std::string> children =
        ReadFile(absl::StrCat("/proc/", host_.pid(), "/task/", host_.pid(), "/children"));
    EXPECT_TRUE(children.ok()) << children.status();
    const std::vector<absl::string_view> pids = absl::StrSplit(children.value_or(""), ' ', absl::SkipWhitespace());
    return pids.size();
  }
  bool AwaitNoOrphan() const {
    return Eventually([this] { return Orphans() == 0; });
  }

  HostDriver host_;
  size_t deaths_expected_ = 0;
};

TEST_F(MisbehaviourTest, AnExitIsToldWithItsCode) {
  deaths_expected_ = 1;
  RunAndStop("exit_3");
  EXPECT_EQ(host_.ExitOf(0), Exit::kExited);
  EXPECT_EQ(host_.ExitValueOf(0), 3);
}

TEST_F(MisbehaviourTest, AnAbortIsToldAsItsSignal) {
  deaths_expected_ = 1;
  RunAndStop("abort");
  EXPECT_EQ(host_.ExitOf(0), Exit::kSignaled);
  EXPECT_EQ(host_.ExitValueOf(0), SIGABRT);
}

TEST_F(MisbehaviourTest, ASegmentationFaultIsToldAsItsSignal) {
  deaths_expected_ = 1;
  RunAndStop("segfault");
  EXPECT_EQ(host_.ExitOf(0), Exit::kSignaled);
  EXPECT_EQ(host_.ExitValueOf(0), SIGSEGV);
}

TEST_F(MisbehaviourTest, AKillIsToldAsItsSignal) {
  deaths_expected_ = 1;
  RunAndStop("kill_self");
  EXPECT_EQ(host_.ExitOf(0), Exit::kSignaled);
  EXPECT_EQ(host_.ExitValueOf(0), SIGKILL);
}

TEST_F(MisbehaviourTest, AStoppedWorkerIsLateAndGone) {
  RunAndStop("stop_self", kShort);
  EXPECT_EQ(host_.ExitOf(0), Exit::kTimedOut);
}

TEST_F(MisbehaviourTest, AWorkerThatIgnoresTheStopIsLateAndGone) {
  RunAndStop("ignore_stop", kShort);
  EXPECT_EQ(host_.ExitOf(0), Exit::kTimedOut);
}

TEST_F(MisbehaviourTest, AWorkerThatMissedTheSignalOfTheStopIsSignalledAgain) {
  RunAndStop("miss_signal");
  EXPECT_EQ(host_.ExitOf(0), Exit::kExited);
  EXPECT_EQ(host_.StateOf(0), State::kFinished);
}

TEST_F(MisbehaviourTest, AWorkerThatSaysItIsLeavingGetsNoSignal) {
  RunAndStop("scribble await_signal", kShort);
  ASSERT_NE(host_.arena().live(0).is_leaving.load(), 0u);
  EXPECT_EQ(host_.ExitOf(0), Exit::kTimedOut) << "a signal would have ended its wait";
}

TEST_F(MisbehaviourTest, AWorkerThatLeftItsGroupIsGoneAllTheSame) {
  RunAndStop("leave_group ignore_stop", kShort);
  EXPECT_EQ(host_.ExitOf(0), Exit::kTimedOut);
}

TEST_F(MisbehaviourTest, AGrandchildInTheGroupIsSweptAfterAGoodEnd) {
  RunAndStop("grandchild");
  EXPECT_EQ(host_.ExitOf(0), Exit::kExited);
  EXPECT_TRUE(AwaitNoOrphan());
  EndHost();
}

TEST_F(MisbehaviourTest, AGrandchildInTheGroupIsSweptWhenTheWorkerDies) {
  deaths_expected_ = 1;
  RunAndStop("grandchild exit_3");
  EXPECT_EQ(host_.ExitValueOf(0), 3);
  EXPECT_TRUE(AwaitNoOrphan());
  EndHost();
}

TEST_F(MisbehaviourTest, AStraySurvivesTheStopAndIsLeftToWhoeverTakesInOrphansAtTheEnd) {
  RunAndStop("stray");
  EXPECT_EQ(host_.ExitOf(0), Exit::kExited);
  EXPECT_EQ(Orphans(), 1u);
  EndHost();
  EXPECT_EQ(SweepOrphans(), 1);
}

TEST_F(MisbehaviourTest, AScribblerReachesNothingButItsOwnRecord) {
  RunAndStop("scribble");
  EXPECT_EQ(host_.arena().header().magic, arena::kMagic);
  EXPECT_EQ(host_.arena().header().num_workers, 2u);
  EXPECT_EQ(host_.arena().host(1).group_idx, 1u);
}

TEST_F(MisbehaviourTest, AnExceptionIsAPanicAndNoDeath) {
  RunAndStop("throw");
  EXPECT_EQ(host_.StateOf(0), State::kPanicked);
}

TEST_F(MisbehaviourTest, WorkThatEndsByItselfIsNoDeath) {
  RunAndStop("return");
  EXPECT_EQ(host_.ExitOf(0), Exit::kExited);
  EXPECT_EQ(host_.StateOf(0), State::kFinished);
  EXPECT_TRUE(host_.Deaths(0).empty());
}

TEST_F(MisbehaviourTest, AWorkerUnderATracerEndsWellOnceTheTracerLetsGo) {
  ASSERT_EQ(host_.Spawn(SpecWith("")).code(), 0);
  host_.Start();
  ASSERT_TRUE(host_.AwaitAllRunning());
  ASSERT_EQ(ptrace(PTRACE_SEIZE, host_.PidOf(0), nullptr, nullptr), 0);
  const uint64_t stopped = host_.SendStop(absl::Seconds(20));
  // The tracer's wait; signals on the way are passed on.
  int status = 0;
  while (waitpid(host_.PidOf(0), &status, 0) > 0 && WIFSTOPPED(status)) {
    ptrace(PTRACE_CONT, host_.PidOf(0), nullptr, WSTOPSIG(status));
  }
  EXPECT_EQ(host_.Await(stopped).code(), 0);
  EXPECT_EQ(host_.ExitOf(0), Exit::kExited);
}

TEST_F(MisbehaviourTest, AWorkerThatCannotBeReapedIsStuckAndNotWaitedFor) {
  ASSERT_EQ(host_.Spawn(SpecWith("")).code(), 0);
  host_.Start();
  ASSERT_TRUE(host_.AwaitAllRunning());
  // A tracer that never waits keeps a zombie from its parent, as a stuck kernel would.
  ASSERT_EQ(ptrace(PTRACE_SEIZE, host_.PidOf(0), nullptr, nullptr), 0);
  EXPECT_EQ(host_.Stop(absl::Milliseconds(100), absl::Milliseconds(200)).code(), 0);
  EXPECT_EQ(host_.ExitOf(0), Exit::kStuck);
  EXPECT_NE(host_.ExitOf(1), Exit::kStuck);
  int status = 0;
  while (waitpid(host_.PidOf(0), &status, 0) > 0 && WIFSTOPPED(status)) {
  }
}

// ---- Threads share the fate of their process ----

TEST_F(MisbehaviourTest, AThreadThatCrashesTakesItsNeighboursAlong) {
  ASSERT_EQ(host_.Spawn(SpecWith("segfault", "clone_mode: THREAD")).code(), 0);
  host_.Start();
  EXPECT_EQ(host_.Deaths(2), std::vector<uint32_t>({0, 1}));
  for (uint32_t worker = 0; worker < 2; ++worker) {
    EXPECT_EQ(host_.ExitOf(worker), Exit::kSignaled);
    EXPECT_EQ(host_.ExitValueOf(worker), SIGSEGV);
  }
  EXPECT_EQ(host_.Stop().code(), 0);
}

TEST_F(MisbehaviourTest, AThreadThatExitsTakesItsNeighboursAlong) {
  ASSERT_EQ(host_.Spawn(SpecWith("exit_3", "clone_mode: THREAD")).code(), 0);
  host_.Start();
  EXPECT_EQ(host_.Deaths(2), std::vector<uint32_t>({0, 1}));
  EXPECT_EQ(host_.ExitOf(1), Exit::kExited);
  EXPECT_EQ(host_.ExitValueOf(1), 3);
}

TEST_F(MisbehaviourTest, AThreadThatIgnoresTheStopMakesItsProcessLate) {
  ASSERT_EQ(host_.Spawn(SpecWith("ignore_stop", "clone_mode: THREAD")).code(), 0);
  StartAndAwaitActs();
  EXPECT_EQ(host_.Stop(kShort).code(), 0);
  EXPECT_EQ(host_.ExitOf(0), Exit::kTimedOut);
  EXPECT_EQ(host_.StateOf(1), State::kFinished) << "its own record is complete all the same";
}

TEST_F(MisbehaviourTest, AThreadsGrandchildIsSwept) {
  ASSERT_EQ(host_.Spawn(SpecWith("grandchild", "clone_mode: THREAD")).code(), 0);
  StartAndAwaitActs();
  EXPECT_EQ(host_.Stop().code(), 0);
  EXPECT_EQ(host_.ExitOf(0), Exit::kExited);
  EXPECT_TRUE(AwaitNoOrphan());
  EndHost();
}

}  // namespace
}  // namespace muster::host
