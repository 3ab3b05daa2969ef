// Where workers are born, moved and pinned. Needs root and cgroup version 2.
#include <sched.h>
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cgroup_dir.h"
#include "base/cgroup_testing.h"
#include "base/cpu_set.h"
#include "gtest/gtest.h"
#include "worker/host/testing/pool_host_test_base.h"

namespace muster::host {
namespace {

using arena::Exit;
using arena::State;

control::Place PlaceOf(const std::vector<uint32_t>& workers) {
  control::Place place;
  for (const uint32_t worker : workers) place.add_workers(worker);
  return place;
}

class PlaceTest : public PoolHostTestBase {
 protected:
  std::string EvidenceOf(uint32_t worker) const {
    const auto& text = host_.arena().control(worker).evidence.cgroup.bytes;
    return std::string(text, strnlen(text, sizeof(text)));
  }
  void StartAndAwaitEvidence() {
    host_.Start();
    ASSERT_TRUE(Eventually([this] {
      for (uint32_t worker = 0; worker < host_.arena().num_workers(); ++worker) {
        if (host_.arena().control(worker).evidence_ready.load() == 0) return false;
      }
      return true;
    }));
  }

  ScratchCgroup scratch_;
  HostDriver host_;
};

TEST_F(PlaceTest, WorkersAreBornInTheCgroupOfTheirGroup) {
  const CgroupDir a = *scratch_.dir().Create("a");
  const CgroupDir b = *scratch_.dir().Create("b");
  ASSERT_EQ(host_.Spawn({.spec = "num_workers: 2 composed { num_workers: 2 }", .cgroups = {a.fd(), b.fd()}}).code(), 0);
  EXPECT_EQ(*a.ReadProcs(), std::vector<pid_t>({host_.PidOf(0), host_.PidOf(1)}));
  EXPECT_EQ(*b.ReadProcs(), std::vector<pid_t>({host_.PidOf(2), host_.PidOf(3)}));
  StartAndAwaitEvidence();
  EXPECT_EQ(EvidenceOf(0), absl::StrCat("/", scratch_.name(), "/a"));
  EXPECT_EQ(EvidenceOf(3), absl::StrCat("/", scratch_.name(), "/b"));
}

TEST_F(PlaceTest, WorkersOfHelpersAreBornThereToo) {
  ASSERT_EQ(host_.Spawn({.spec = "num_workers: 100", .cgroups = {scratch_.dir().fd()}, .spawners = 2}).code(), 0);
  EXPECT_EQ(scratch_.dir().ReadProcs()->size(), 100u);
}

TEST_F(PlaceTest, AMovedWorkerStartsInItsNewCgroup) {
  ASSERT_EQ(host_.Spawn("num_workers: 2").code(), 0);
  const control::Reply reply = host_.Place(PlaceOf({1}), scratch_.dir().fd());
  ASSERT_EQ(reply.code(), 0) << reply.message();
  ASSERT_EQ(reply.places_size(), 1);
  EXPECT_EQ(reply.places(0).worker(), 1u);
  EXPECT_EQ(reply.places(0).error(), "");
  EXPECT_EQ(reply.places(0).cgroup(), absl::StrCat("/", scratch_.name()));
  StartAndAwaitEvidence();
  EXPECT_EQ(EvidenceOf(1), absl::StrCat("/", scratch_.name()));
  EXPECT_NE(EvidenceOf(0), EvidenceOf(1));
}

TEST_F(PlaceTest, ARunningWorkerCanBeMoved) {
  ASSERT_EQ(host_.Spawn("num_workers: 1").code(), 0);
  host_.Start();
  ASSERT_TRUE(host_.AwaitAllRunning());
  control::Place place = PlaceOf({0});
  place.set_setup_again(true);  // without an effect: nobody waits at the gate
  EXPECT_EQ(host_.Place(place, scratch_.dir().fd()).places(0).error(), "");
  EXPECT_EQ(*scratch_.dir().ReadProcs(), std::vector<pid_t>({host_.PidOf(0)}));
}

TEST_F(PlaceTest, AMoveThatCanUndoNothingAsksForNoSetup) {
  ASSERT_EQ(host_.Spawn("num_workers: 1 nice: 3 composed { num_workers: 1 sched_policy { batch {} } }").code(), 0);
  control::Place place = PlaceOf({0, 1});
  place.set_setup_again(true);
  EXPECT_EQ(host_.Place(place, scratch_.dir().fd()).places(0).error(), "");
  EXPECT_EQ(host_.arena().live(0).setups.load(), 1u);
  EXPECT_EQ(host_.arena().live(1).setups.load(), 2u);
}

TEST_F(PlaceTest, SetupRunsAgainWhenAsked) {
  ASSERT_EQ(host_.Spawn("num_workers: 3 affinity { exact { cpus: '0' } }").code(), 0);
  control::Place place = PlaceOf({0, 2});
  place.set_setup_again(true);
  const control::Reply reply = host_.Place(place, scratch_.dir().fd());
  EXPECT_EQ(reply.places(0).error(), "");
  EXPECT_EQ(host_.arena().live(0).setups.load(), 2u);
  EXPECT_EQ(host_.arena().live(1).setups.load(), 1u);
  EXPECT_EQ(host_.arena().live(2).setups.load(), 2u);
  EXPECT_EQ(host_.Place(place, scratch_.dir().fd()).places(1).error(), "");
  EXPECT_EQ(host_.arena().live(2).setups.load(), 3u);
}

TEST_F(PlaceTest, ADeadWorkerIsAnOutcomeAndHangsNothing) {
  ASSERT_EQ(host_.Spawn("num_workers: 2").code(), 0);
  kill(host_.PidOf(0), SIGKILL);
  EXPECT_EQ(host_.Deaths(1), std::vector<uint32_t>({0}));
  control::Place place = PlaceOf({0, 1});
  place.set_setup_again(true);
  const control::Reply reply = host_.Place(place, scratch_.dir().fd());
  EXPECT_EQ(reply.places(0).error(), "the worker has ended");
  EXPECT_EQ(reply.places(1).error(), "");
}

TEST_F(PlaceTest, AStoppedWorkerIsAnOutcomeWithinABound) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 affinity { exact { cpus: '0' } }").code(), 0);
  kill(host_.PidOf(0), SIGSTOP);
  control::Place place = PlaceOf({0, 1});
  place.set_setup_again(true);
  const absl::Time before = absl::Now();
  const control::Reply reply = host_.Place(place, scratch_.dir().fd());
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
  EXPECT_NE(reply.places(0).error().find("did not run its setup again"), std::string::npos) << reply.places(0).error();
  EXPECT_EQ(reply.places(0).cgroup(), absl::StrCat("/", scratch_.name()));
  EXPECT_EQ(reply.places(1).error(), "");
}

TEST_F(PlaceTest, APinIsReadBack) {
  ASSERT_EQ(host_.Spawn("num_workers: 2").code(), 0);
  control::Place place = PlaceOf({1});
  place.set_cpus("1");
  const control::Reply reply = host_.Place(place);
  EXPECT_EQ(reply.places(0).error(), "");
  EXPECT_EQ(reply.places(0).effective_cpus(), "1");
  EXPECT_EQ(GetAffinity(host_.PidOf(1))->ToString(), "1");
  EXPECT_NE(GetAffinity(host_.PidOf(0))->ToString(), "1");
}

TEST_F(PlaceTest, APinOutlivesALaterSetup) {
  ASSERT_EQ(host_.Spawn("affinity { exact { cpus: '0' } }").code(), 0);
  control::Place pin = PlaceOf({0});
  pin.set_cpus("1");
  ASSERT_EQ(host_.Place(pin).places(0).error(), "");
  control::Place move = PlaceOf({0});
  move.set_setup_again(true);
  EXPECT_EQ(host_.Place(move, scratch_.dir().fd()).places(0).effective_cpus(), "1");
  EXPECT_EQ(host_.arena().live(0).setups.load(), 2u);
}

// What a move into a cpuset does before Linux 6.2 is done here by hand.
TEST_F(PlaceTest, AMoveWhileItRunsRestoresTheCpusOfTheSpec) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 clone_mode: THREAD affinity { exact { cpus: '1' } }").code(), 0);
  host_.Start();
  ASSERT_TRUE(host_.AwaitAllRunning());
  const CpuSet reset = *CpuSet::Parse("0-1");
  for (const uint32_t worker : {0, 1}) ASSERT_TRUE(SetAffinity(host_.TidOf(worker), reset).ok());
  const control::Reply reply = host_.Place(PlaceOf({0, 1}), scratch_.dir().fd());
  for (const uint32_t worker : {0, 1}) {
    EXPECT_EQ(reply.places(worker).effective_cpus(), "1");
    EXPECT_EQ(GetAffinity(host_.TidOf(worker))->ToString(), "1");
  }
}

TEST_F(PlaceTest, ACpuThatDoesNotExistIsAnOutcome) {
  ASSERT_EQ(host_.Spawn("num_workers: 1").code(), 0);
  control::Place pin = PlaceOf({0});
  pin.set_cpus("4000");
  EXPECT_NE(host_.Place(pin).places(0).error(), "");
}

TEST_F(PlaceTest, AWorkerThatIsNotThereIsRefused) {
  ASSERT_EQ(host_.Spawn("num_workers: 1").code(), 0);
  EXPECT_EQ(host_.Place(PlaceOf({1}), scratch_.dir().fd()).code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
}

TEST_F(PlaceTest, PartOfAProcessIsNotPlacedByProcess) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 clone_mode: THREAD").code(), 0);
  const control::Reply reply = host_.Place(PlaceOf({0}), scratch_.dir().fd());
  EXPECT_EQ(reply.code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_NE(reply.message().find("by thread"), std::string::npos) << reply.message();
}

TEST_F(PlaceTest, AWholeProcessOfThreadsMoves) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 clone_mode: THREAD").code(), 0);
  control::Place place = PlaceOf({0, 1});
  place.set_setup_again(true);
  const control::Reply reply = host_.Place(place, scratch_.dir().fd());
  EXPECT_EQ(reply.places(0).error(), "");
  EXPECT_EQ(reply.places(1).error(), "");
  StartAndAwaitEvidence();
  EXPECT_EQ(EvidenceOf(1), absl::StrCat("/", scratch_.name()));
}

class ThreadedPlaceTest : public PlaceTest {
 protected:
  ThreadedPlaceTest() : root_(*scratch_.dir().Create("root")), a_(*root_.Create("a")), b_(*root_.Create("b")) {
    EXPECT_TRUE(a_.MakeThreaded().ok());
    EXPECT_TRUE(b_.MakeThreaded().ok());
  }

  CgroupDir root_;
  CgroupDir a_;
  CgroupDir b_;
};

TEST_F(ThreadedPlaceTest, ThreadsOfDifferentGroupsStartInTheirOwnCgroups) {
  const control::Reply reply =
      host_.Spawn({.spec = "num_workers: 2 clone_mode: THREAD composed { num_workers: 2 work { pipe_io {} } }",
                   .cgroups = {a_.fd(), b_.fd()}});
  ASSERT_EQ(reply.code(), 0) << reply.message();
  EXPECT_EQ(*a_.ReadThreads(), std::vector<pid_t>({host_.TidOf(0), host_.TidOf(1)}));
  EXPECT_EQ(*b_.ReadThreads(), std::vector<pid_t>({host_.TidOf(2), host_.TidOf(3)}));
  StartAndAwaitEvidence();
  EXPECT_EQ(EvidenceOf(0), absl::StrCat("/", scratch_.name(), "/root/a"));
  EXPECT_EQ(EvidenceOf(2), absl::StrCat("/", scratch_.name(), "/root/b"));
}

TEST_F(ThreadedPlaceTest, AThreadMovesWithinItsDomain) {
  ASSERT_EQ(host_.Spawn({.spec = "num_workers: 2 pcomm { name: 'leader' uid: 65534 }", .cgroups = {a_.fd()}}).code(),
            0);
  control::Place place = PlaceOf({1});
  place.set_by_thread(true);
  place.set_setup_again(true);
  const control::Reply reply = host_.Place(place, b_.fd());
  EXPECT_EQ(reply.places(0).error(), "");
  EXPECT_EQ(reply.places(0).cgroup(), absl::StrCat("/", scratch_.name(), "/root/b"));
  EXPECT_EQ(*b_.ReadThreads(), std::vector<pid_t>({host_.TidOf(1)}));
  StartAndAwaitEvidence();
  EXPECT_EQ(EvidenceOf(1), absl::StrCat("/", scratch_.name(), "/root/b"));
}

TEST_F(ThreadedPlaceTest, AThreadDoesNotLeaveItsDomain) {
  ASSERT_EQ(host_.Spawn("num_workers: 2 clone_mode: THREAD").code(), 0);
  control::Place place = PlaceOf({1});
  place.set_by_thread(true);
  const control::Reply reply = host_.Place(place, a_.fd());
  EXPECT_NE(reply.places(0).error().find("threaded subtree"), std::string::npos) << reply.places(0).error();
}

TEST_F(ThreadedPlaceTest, GroupsOfOneProcessInTwoDomainsAreRefused) {
  const CgroupDir other = *scratch_.dir().Create("other");
  const control::Reply reply =
      host_.Spawn({.spec = "clone_mode: THREAD composed { num_workers: 1 }", .cgroups = {a_.fd(), other.fd()}});
  EXPECT_EQ(reply.code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_NE(reply.message().find("composed[0].cgroup"), std::string::npos) << reply.message();
}

TEST_F(PlaceTest, AFrozenWorkerHoldsNobodyBack) {
  // Worker 0 is the root of the wake tree.
  const CgroupDir ice = *scratch_.dir().Create("ice");
  ASSERT_EQ(host_.Spawn("num_workers: 8").code(), 0);
  ASSERT_EQ(host_.Place(PlaceOf({0}), ice.fd()).places(0).error(), "");
  ASSERT_TRUE(ice.Freeze(Deadline::After(absl::Seconds(5))).ok());
  host_.Start();
  for (uint32_t worker = 1; worker < 8; ++worker) {
    EXPECT_TRUE(Eventually([&] { return host_.IterationsOf(worker) > 0; }));
  }
  EXPECT_EQ(host_.StateOf(0), State::kReady);
  EXPECT_EQ(host_.Stop(absl::Milliseconds(1500)).code(), 0);
  EXPECT_EQ(host_.ExitOf(0), Exit::kTimedOut);
  EXPECT_EQ(host_.ExitOf(7), Exit::kExited);
}

TEST_F(PlaceTest, AKilledWorkerHoldsNobodyBack) {
  ASSERT_EQ(host_.Spawn("num_workers: 20").code(), 0);
  // Workers 9 to 16 are below worker 1, and 17 to 19 below worker 2.
  kill(host_.PidOf(0), SIGKILL);
  kill(host_.PidOf(1), SIGKILL);
  host_.Start();
  for (uint32_t worker = 2; worker < 20; ++worker) {
    EXPECT_TRUE(Eventually([&] { return host_.IterationsOf(worker) > 0; }));
  }
}

TEST_F(PlaceTest, AStoppedWorkerHoldsNobodyBack) {
  ASSERT_EQ(host_.Spawn("num_workers: 20").code(), 0);
  kill(host_.PidOf(0), SIGSTOP);
  kill(host_.PidOf(2), SIGSTOP);
  host_.Start();
  for (uint32_t worker = 1; worker < 20; ++worker) {
    if (worker == 2) continue;
    EXPECT_TRUE(Eventually([&] { return host_.IterationsOf(worker) > 0; }));
  }
  kill(host_.PidOf(0), SIGCONT);
  EXPECT_TRUE(Eventually([&] { return host_.IterationsOf(0) > 0; }));
}

}  // namespace
}  // namespace muster::host
