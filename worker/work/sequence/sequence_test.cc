#include <sched.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

const WorkType& Type() { return *FindWorkType(v1::Work::kSequence); }

std::string Error(const std::string& phases) {
  const absl::Status status = Type().Validate(ResolvedWork("sequence { " + phases + " }"));
  return std::string(status.message().data(), status.message().size());
}

uint32_t Streams(const std::string& phases) { return Type().Streams(ResolvedWork("sequence { " + phases + " }")); }

std::string Ms(const std::string& kind) { return "phases { " + kind + " { duration { nanos: 2000000 } } } "; }

TEST(SequenceTest, OnePassIsOneIterationThroughEveryPhase) {
  GroupFixture group("sequence { " + Ms("spin") + Ms("sleep") + Ms("yield") + Ms("io") + Ms("alu_hot") + "}");
  EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).iterations(), 1u);
  EXPECT_GE(group.meter(0).work_units(), 1024u + 64 + 16 + 1024);
  EXPECT_GE(group.record(0).store(arena::kWake).head->total.load(), 1u + 64 + 1);
  EXPECT_GE(group.record(0).store(arena::kCost).head->total.load(), 1u);
  EXPECT_EQ(group.record(0).control().noop_reason.bytes[0], 0);
}

TEST(SequenceTest, APhaseOfNoDurationDoesNothingAndFillsNoStream) {
  GroupFixture group(
      "sequence { phases { yield {} } phases { alu_hot {} } phases { spin { duration { nanos: 1 } } } }");
  group.RunOnce(0);
  EXPECT_EQ(group.meter(0).work_units() % 1024, 0u);
  EXPECT_EQ(group.type().Streams(group.work()), kNoSamples);
}

TEST(SequenceTest, StreamsFollowFromThePhases) {
  EXPECT_EQ(Streams(Ms("spin")), kNoSamples);
  EXPECT_EQ(Streams(Ms("sleep")), kWakeSamples);
  EXPECT_EQ(Streams(Ms("yield")), kWakeSamples);
  EXPECT_EQ(Streams(Ms("io")), kWakeSamples);
  EXPECT_EQ(Streams(Ms("alu_hot") + Ms("sleep")), kWakeSamples | kCostSamples);
}

TEST(SequenceTest, APassThatTheStopCutsShortIsNoIteration) {
  GroupFixture group(
      "sequence { phases { sleep { duration { seconds: 3600 } } } phases { spin { duration { seconds: 9 } } } }");
  group.Start(0);
  EXPECT_LT(group.StopAllNs(), 1'000'000'000u);
  EXPECT_EQ(group.meter(0).iterations(), 0u);
}

// Between one look at the clock and the next there are 64 yields; one stop in 64 comes just then.
TEST(SequenceTest, AStopEndsAYieldPhaseBetweenAnyTwoYields) {
  bool ended_between = false;
  for (int stop = 0; stop < 100 && !ended_between; ++stop) {
    GroupFixture group("sequence { phases { yield { duration { seconds: 3600 } } } }");
    group.Start(0);
    while (group.record(0).store(arena::kWake).head->total.load() == 0) sched_yield();
    group.StopAllNs();
    ended_between = group.meter(0).work_units() % 64 != 0;
  }
  EXPECT_TRUE(ended_between);
}

TEST(SequenceTest, RefusesPhasesThatAreNoneAndNamesThem) {
  EXPECT_EQ(Error(""), "phases: at least one is needed");
  EXPECT_EQ(Error("phases {}"), "phases[0].kind: none is set; choose spin, sleep, yield, io or alu_hot");
  EXPECT_EQ(Error(Ms("spin") + "phases { sleep { duration { seconds: -1 } } }"),
            "phases[1].sleep.duration: it is not between 0 and 3600 s");
  EXPECT_EQ(Error("phases { io { duration { seconds: 3600 nanos: 1 } } }"),
            "phases[0].io.duration: it is not between 0 and 3600 s");
  EXPECT_EQ(Error("phases { alu_hot { width: ALU_WIDTH_UNSPECIFIED } }"),
            "phases[0].alu_hot.width: 0 is no width; choose WIDEST");
}

}  // namespace
}  // namespace muster
