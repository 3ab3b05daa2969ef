#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/cgroup_testing.h"
#include "base/file_io.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

namespace muster {
namespace {

std::string CgroupOf(pid_t pid) { return *ReadFile(absl::StrCat("/proc/", pid, "/cgroup")); }

GroupRunOptions In(const CgroupDir& dir, const std::string& work) {
  GroupRunOptions options;
  options.work = ResolvedWork(work);
  options.before = [&dir](const WorkerPlace&) { ASSERT_TRUE(dir.MoveSelfHere().ok()); };
  return options;
}

TEST(CgroupChurnTest, VisitsItsLeavesAndLeavesNoneBehind) {
  ScratchCgroup scratch;
  TestChild bystander;
  bystander.MoveTo(scratch.dir());
  const std::string bystanders = CgroupOf(bystander.pid());
  GroupRunOptions options = In(scratch.dir(), "cgroup_churn { groups: 3 cycle_ms: 2 }");
  options.instances = 2;
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  for (const char* leaf : {"churn-0", "churn-1", "churn-2"}) {
    const auto in_leaf = [&] { return CgroupOf((*run)->pid(1)).find(leaf) != std::string::npos; };
    EXPECT_TRUE(GroupRun::Eventually(in_leaf, absl::Seconds(10))) << leaf;
  }
  const absl::Status stopped = (*run)->Stop(absl::Seconds(2));
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_EQ((*run)->result(0).noop_reason, "");
  EXPECT_EQ(scratch.dir().Children()->size(), 0u);
  EXPECT_EQ(CgroupOf(bystander.pid()), bystanders);
}

TEST(CgroupChurnTest, ACgroupThatWentAwayIsSaidInTheReport) {
  ScratchCgroup scratch;
  GroupRunOptions options = In(scratch.dir(), "cgroup_churn { groups: 2 cycle_ms: 1 }");
  absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_TRUE((*run)->WaitForIterations(2, absl::Seconds(5)));
  EXPECT_TRUE(GroupRun::Eventually(
      [&] { return scratch.dir().RemoveEmpty("churn-0").ok() || scratch.dir().RemoveEmpty("churn-1").ok(); },
      absl::Seconds(10)));
  const uint64_t seen = (*run)->iterations(0);
  EXPECT_TRUE((*run)->WaitForIterations(seen + 4, absl::Seconds(5)));
  const absl::Status stopped = (*run)->Stop(absl::Seconds(2));
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_NE((*run)->result(0).noop_reason.find("ENODEV"), std::string::npos) << (*run)->result(0).noop_reason;
}

TEST(CgroupChurnTest, IsRefusedInThreadsWithItsReason) {
  const WorkTypeDescription description = FindWorkType(v1::Work::kCgroupChurn)->Describe();
  EXPECT_FALSE(description.runs_in_threads);
  EXPECT_EQ(description.why_not_threads, "it moves its whole process, and all neighbours with it");
}

}  // namespace
}  // namespace muster
