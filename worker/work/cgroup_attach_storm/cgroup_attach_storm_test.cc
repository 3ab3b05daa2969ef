#include "absl/strings/str_cat.h"
#include "base/cgroup_testing.h"
#include "base/file_io.h"
#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"
#include "worker/work/testing/group_run.h"

namespace muster {
namespace {

class CgroupAttachStormTest : public testing::Test {
 protected:
  CgroupAttachStormTest() : home_(*scratch_.dir().Create("home")) {}

  GroupRunOptions Options(const std::string& params) {
    GroupRunOptions options;
    options.work = ResolvedWork("cgroup_attach_storm { " + params + " }");
    options.before = [this](const WorkerPlace&) { ASSERT_TRUE(home_.MoveSelfHere().ok()); };
    return options;
  }

  ScratchCgroup scratch_;
  CgroupDir home_;
};

TEST_F(CgroupAttachStormTest, AttachesItsChildrenAndNobodyElse) {
  ASSERT_TRUE(scratch_.dir().Create("dest").ok());
  TestChild bystander;
  bystander.MoveTo(home_);
  const std::string before = *ReadFile(absl::StrCat("/proc/", bystander.pid(), "/cgroup"));
  for (const char* params : {"reap: REAP_SIG_IGN", "reap: REAP_WAITPID"}) {
    absl::StatusOr<std::unique_ptr<GroupRun>> run = GroupRun::Start(Options(params));
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_TRUE((*run)->WaitForIterations(50, absl::Seconds(20)));
    const absl::Status stopped = (*run)->Stop(absl::Seconds(2));
    ASSERT_TRUE(stopped.ok()) << stopped;
    EXPECT_GE((*run)->result(0).work_units, (*run)->result(0).iterations);
    EXPECT_LE((*run)->result(0).work_units, (*run)->result(0).iterations + 1) << "one per attempt";
    EXPECT_EQ((*run)->result(0).noop_reason, "") << params;
    EXPECT_EQ((*run)->result(0).samples[arena::kWake] != 0, std::string(params) == "reap: REAP_WAITPID");
  }
  EXPECT_EQ(*ReadFile(absl::StrCat("/proc/", bystander.pid(), "/cgroup")), before);
}

TEST_F(CgroupAttachStormTest, WithoutADestinationItMarksTimeAndSaysWhy) {
  const absl::StatusOr<std::vector<MemberResult>> results =
      RunGroup(Options("dest: \"nowhere\""), absl::Milliseconds(20));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].work_units, 0u);
  EXPECT_GT((*results)[0].iterations, 0u);
  EXPECT_NE((*results)[0].noop_reason.find("nowhere"), std::string::npos) << (*results)[0].noop_reason;
}

TEST_F(CgroupAttachStormTest, ADestinationIsTheNameOfOneCgroup) {
  const WorkType& type = *FindWorkType(v1::Work::kCgroupAttachStorm);
  for (const char* bad : {"", "..", "a/b", ".hidden"}) {
    EXPECT_FALSE(type.Validate(ResolvedWork(absl::StrCat("cgroup_attach_storm { dest: \"", bad, "\" }"))).ok()) << bad;
  }
  EXPECT_TRUE(type.Validate(ResolvedWork("cgroup_attach_storm {}")).ok());
  EXPECT_FALSE(type.Describe().runs_in_threads);
}

}  // namespace
}  // namespace muster
