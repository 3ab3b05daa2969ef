#include "tools/vm/run/scheduler_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::vm {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr char kEnabled[] =
    "muster-init: scheduler state=enabled ops=fifo enable_seq=3 nr_rejected=2 switch_all=1 uptime_ms=900\r";

SchedulerLog After(const std::vector<std::string>& lines) {
  SchedulerLog log;
  for (const std::string& line : lines) ObserveScheduler(line, &log);
  return log;
}

SchedulerSample Sample(const std::string& state, const std::string& ops, uint64_t enable_seq) {
  SchedulerSample sample;
  sample.state = state;
  sample.ops = ops;
  sample.enable_seq = enable_seq;
  return sample;
}

TEST(SchedulerLogTest, ALookIsRead) {
  const SchedulerLog log = After({kEnabled});
  EXPECT_EQ(log.samples, 1u);
  EXPECT_TRUE(log.last.enabled());
  EXPECT_EQ(log.last.ops, "fifo");
  EXPECT_EQ(log.last.enable_seq, 3u);
  EXPECT_EQ(log.last.nr_rejected, 2u);
  EXPECT_TRUE(log.last.switch_all);
}

TEST(SchedulerLogTest, WithoutASchedulerThereIsNoName) {
  const SchedulerLog log = After(
      {"[1.0] x muster-init: scheduler state=disabled ops=- enable_seq=1 nr_rejected=0 switch_all=0 uptime_ms=1"});
  EXPECT_EQ(log.samples, 1u);
  EXPECT_EQ(log.last.ops, "");
  EXPECT_FALSE(log.last.enabled());
  EXPECT_TRUE(log.last.settled());
}

TEST(SchedulerLogTest, ALineThatWasCutOrWrittenIntoIsNoLook) {
  const std::string whole = kEnabled;
  for (size_t size = 0; size < whole.find("uptime_ms="); ++size) EXPECT_EQ(After({whole.substr(0, size)}).samples, 0u);
  EXPECT_EQ(After({"muster-init: scheduler state=enabled ops=fifo enable_s[  1.2] oops uptime_ms=9"}).samples, 0u);
}

TEST(SchedulerLogTest, TheReasonsOfKernelAndLoaderAreKept) {
  const SchedulerLog log =
      After({"muster-init: scheduler-loader Error: no", "muster-init: scheduler-kernel sched_ext: x",
             "muster-init: scheduler-failed the loader ended with exit=255 uptime_ms=5"});
  EXPECT_THAT(log.failed, Optional(std::string("the loader ended with exit=255")));
  EXPECT_THAT(WithReasons("it failed", log),
              AllOf(HasSubstr("it failed\n"), HasSubstr("kernel says:\n  sched_ext: x\n"),
                    HasSubstr("loader says:\n  Error: no")));
}

TEST(SchedulerLogTest, OfAnEjectionOnlyTheKernelKnowsTheReason) {
  const SchedulerLog log = After({"muster-init: scheduler-loader Registered", "muster-init: scheduler-kernel stall"});
  EXPECT_EQ(WithReasons("it was ejected", log), "it was ejected\nthe kernel says:\n  stall");
}

TEST(SchedulerLogTest, OneSchedulerFromStartToEndIsNoEjection) {
  EXPECT_EQ(FindEjection(Sample("enabled", "fifo", 1), Sample("enabled", "fifo", 1)), std::nullopt);
}

TEST(SchedulerLogTest, AnEjectionIsFoundAlsoWhenTheSameSchedulerIsBack) {
  EXPECT_THAT(FindEjection(Sample("enabled", "fifo", 1), Sample("disabled", "", 1)), Optional(HasSubstr("ejected")));
  EXPECT_THAT(FindEjection(Sample("enabled", "fifo", 1), Sample("disabling", "fifo", 1)),
              Optional(HasSubstr("ejected")));
  EXPECT_THAT(FindEjection(Sample("enabled", "fifo", 1), Sample("enabled", "fifo", 2)),
              Optional(HasSubstr("replaced")));
  EXPECT_THAT(FindEjection(Sample("disabled", "", 0), Sample("enabled", "fifo", 1)),
              Optional(HasSubstr("no scheduler was active at the start")));
}

TEST(SchedulerLogTest, TheSpanNamesTheSchedulerAndWhatItRefused) {
  SchedulerSample start = Sample("enabled", "fifo", 4);
  start.nr_rejected = 2;
  SchedulerSample end = start;
  end.nr_rejected = 5;
  EXPECT_EQ(DescribeSpan(start, end),
            "scheduler=fifo active from start to end, tasks of SCHED_EXT only, enable_seq=4 nr_rejected=3");
}

}  // namespace
}  // namespace muster::vm
