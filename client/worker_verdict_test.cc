#include "client/worker_verdict.h"

#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"

namespace muster {
namespace {

WorkerVerdict Judge(const std::string& text) {
  v1::WorkerReport report;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &report)) << text;
  return JudgeWorker(report, absl::Seconds(2));
}

TEST(WorkerVerdictTest, WorkUnitsOrIterationsAreEnough) {
  EXPECT_EQ(Judge("work_units: 1").verdict, Verdict::kGood);
  // TimerLatency counts no units.
  EXPECT_EQ(Judge("iterations: 1").verdict, Verdict::kGood);
  EXPECT_EQ(Judge("completed: true").verdict, Verdict::kBad);
}

TEST(WorkerVerdictTest, GapAtTheThresholdIsGoodAndAboveItBad) {
  EXPECT_EQ(Judge("iterations: 1 max_gap_ns: 2000000000 max_gap_ms: 2000").verdict, Verdict::kGood);
  const WorkerVerdict bad = Judge("iterations: 1 max_gap_ns: 2000000001 max_gap_ms: 2000");
  EXPECT_EQ(bad.verdict, Verdict::kBad);
  EXPECT_EQ(bad.reason, "did not run for 2000 ms, above the threshold of 2000 ms");
}

TEST(WorkerVerdictTest, EverySentinelIsBadAndSaysHowItEnded) {
  EXPECT_EQ(Judge("exit_info { signaled { signal: 9 oom_killed: true } }").reason, "killed by signal 9, out of memory");
  EXPECT_EQ(Judge("exit_info {}").verdict, Verdict::kBad);
}

TEST(WorkerVerdictTest, ProgramThatReportsNothingCannotBeTold) {
  EXPECT_EQ(Judge("completed: true kernel_accounting { cpu_time_ns: 5 }").verdict, Verdict::kCannotTell);
  EXPECT_EQ(Judge("completed: true kernel_accounting { reported_iterations: 5 }").verdict, Verdict::kGood);
  EXPECT_EQ(Judge("completed: true kernel_accounting { reported_iterations: 0 }").verdict, Verdict::kBad);
}

TEST(WorkerVerdictTest, MarkingTimeIsNoProof) {
  EXPECT_EQ(Judge("iterations: 5 noop_reason: 'no NIC'").verdict, Verdict::kCannotTell);
}

}  // namespace
}  // namespace muster
