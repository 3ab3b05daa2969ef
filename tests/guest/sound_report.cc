#include "tests/guest/sound_report.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace muster {

void ExpectSound(const v1::WorkerReport& report) {
  SCOPED_TRACE(report.ShortDebugString());
  EXPECT_TRUE(report.completed());
  EXPECT_FALSE(report.has_exit_info());
  EXPECT_FALSE(report.has_last_record());
  EXPECT_GT(report.tid(), 0);
  EXPECT_GT(report.released_at_ns(), 0u);
  EXPECT_GE(report.first_instruction_at_ns(), report.released_at_ns());
  EXPECT_GT(report.stopped_at_ns(), report.first_instruction_at_ns());
  EXPECT_GT(report.wall_time_ns(), 0u);
  EXPECT_FALSE(report.cpus_used().empty());
  EXPECT_NE(report.effective_cpus(), "");
  EXPECT_NE(report.effective_policy(), "");
  EXPECT_TRUE(absl::StartsWith(report.cgroup_at_start(), "/")) << report.cgroup_at_start();
  EXPECT_EQ(report.affinity_error(), "");
  EXPECT_EQ(report.sched_policy_error(), "");
  EXPECT_EQ(report.setup_errors().ByteSizeLong(), 0u);
  EXPECT_EQ(report.telemetry_error(), "");
}

}  // namespace muster
