#include "tools/vm/init/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::guest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SchedulerTest, RecordsThatSpeakOfSchedExtAreTakenWithoutTheirPrefixAndTheirDictionary) {
  EXPECT_EQ(SchedulerLine("3,339,5140900,-;sched_ext: BPF scheduler \"x\" disabled (runtime error)\n DEVICE=+a\n"),
            "sched_ext: BPF scheduler \"x\" disabled (runtime error)");
}

TEST(SchedulerTest, OtherRecordsSayNothing) {
  EXPECT_EQ(SchedulerLine("6,1,2,-;virtio_net: up\n"), "");
  EXPECT_EQ(SchedulerLine("6,1,2,-;up\n SUBSYSTEM=sched_ext\n"), "");
  EXPECT_EQ(SchedulerLine("sched_ext"), "");
  EXPECT_EQ(SchedulerLine(""), "");
}

TEST(SchedulerTest, TheLastLinesAreKept) {
  EXPECT_THAT(LastLines("a\nb\n\nc\nd", 3), ElementsAre("b", "c", "d"));
  EXPECT_THAT(LastLines("a\n", 3), ElementsAre("a"));
  EXPECT_THAT(LastLines("", 3), IsEmpty());
}

}  // namespace
}  // namespace muster::guest
