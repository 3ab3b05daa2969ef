#include "daemon/cgroup/instance.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/cgroup_mounts.h"
#include "base/cgroup_testing.h"
#include "base/file_io.h"
#include "base/instance_tree.h"
#include "daemon/cgroup/instance_lock.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

std::string OwnCgroup() { return ParseCgroupFile(ReadFile("/proc/self/cgroup").value()).value(); }

// Puts this process back to where it was, so that a scratch cgroup can go.
class StayHere {
 public:
  StayHere() : here_(CgroupDir::OpenPath(TestCgroupMount() + OwnCgroup()).value()) {}
  ~StayHere() { EXPECT_TRUE(here_.MoveSelfHere().ok()); }

 private:
  const CgroupDir here_;
};

class InstanceTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Instance>> Create(absl::string_view name, Deadline deadline = Soon()) {
    return Instance::Create({std::string(name), scratch_.path()}, CgroupView::OfThisProcess().value(), deadline);
  }
  bool Exists(absl::string_view name) const {
    return access(absl::StrCat(scratch_.path(), "/", name).c_str(), F_OK) == 0;
  }

  const std::string before_ = OwnCgroup();
  ScratchCgroup scratch_;
  StayHere stay_;
};

TEST_F(InstanceTest, ItsTreeComesAndGoesWithIt) {
  {
    const std::unique_ptr<Instance> instance = Create("one").value();
    EXPECT_TRUE(Exists("muster/one/workload"));
    EXPECT_EQ(instance->workload_path(), scratch_.path() + "/muster/one/workload");
  }
  EXPECT_FALSE(Exists("muster"));
}

TEST_F(InstanceTest, EndingOneKillsItsWorkloadAndLeavesTheOtherAlone) {
  std::unique_ptr<Instance> one = Create("one").value();
  const std::unique_ptr<Instance> two = Create("two").value();
  const TestChild in_one;
  const TestChild in_two;
  in_one.MoveTo(*scratch_.dir().OpenBelow("muster/one/workload")->Create("cg"));
  in_two.MoveTo(*scratch_.dir().OpenBelow("muster/two/workload"));
  one.reset();
  EXPECT_TRUE(in_one.Ends());
  EXPECT_FALSE(in_two.HasEnded());
  EXPECT_FALSE(Exists("muster/one"));
  EXPECT_TRUE(Exists("muster/two/workload"));
}

TEST_F(InstanceTest, StartRemovesOnlyInstancesWithoutALivingOwner) {
  const std::unique_ptr<Instance> alive = Create("alive").value();
  ASSERT_TRUE(scratch_.dir().OpenBelow("muster")->Create("dead")->Create("workload").ok());
  const TestChild orphan;
  const TestChild worker;
  orphan.MoveTo(*scratch_.dir().OpenBelow("muster/dead/workload"));
  worker.MoveTo(*scratch_.dir().OpenBelow("muster/alive/workload"));
  const std::unique_ptr<Instance> starting = Create("starting").value();
  EXPECT_TRUE(orphan.Ends());
  EXPECT_FALSE(Exists("muster/dead"));
  EXPECT_FALSE(worker.HasEnded());
  EXPECT_TRUE(Exists("muster/alive/workload"));
}

TEST_F(InstanceTest, NameInUseIsRefusedAndFreeAfterwards) {
  std::unique_ptr<Instance> first = Create("one").value();
  const absl::Status status = Create("one", Deadline::After(absl::Milliseconds(30))).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("choose another name"), absl::string_view::npos) << status;
  EXPECT_TRUE(Exists("muster/one/workload"));
  first.reset();
  EXPECT_TRUE(Create("one").ok());
}

TEST_F(InstanceTest, LockIsHeldUntilTheJanitorsCopyIsClosedToo) {
  std::optional<LockedInstance> ours = LockInstance(scratch_.dir(), "one", Soon()).value();
  std::optional<TestChild> heir(std::in_place, [] {});
  ours.reset();
  EXPECT_FALSE(LockInstance(scratch_.dir(), "one", Deadline::After(absl::ZeroDuration())).ok());
  EXPECT_EQ(RemoveStaleInstances(scratch_.dir().Open("muster").value(), Soon()), 0);
  heir.reset();
  EXPECT_TRUE(LockInstance(scratch_.dir(), "one", Soon()).ok());
}

TEST_F(InstanceTest, RestartUnderTheSameNameKillsWhatTheDeadOneLeft) {
  ASSERT_TRUE(scratch_.dir().Create("muster")->Create("one")->Create("workload").ok());
  const TestChild orphan;
  orphan.MoveTo(*scratch_.dir().OpenBelow("muster/one/workload"));
  const std::unique_ptr<Instance> restarted = Create("one").value();
  EXPECT_TRUE(orphan.Ends());
  EXPECT_TRUE(Exists("muster/one/workload"));
}

TEST_F(InstanceTest, GivenRootMovesThisProcessToASupervisorAndBack) {
  std::unique_ptr<Instance> instance = Create("one").value();
  EXPECT_EQ(OwnCgroup(), absl::StrCat("/", scratch_.name(), "/supervisor"));
  instance.reset();
  EXPECT_EQ(OwnCgroup(), before_);
  EXPECT_FALSE(Exists("supervisor"));
}

TEST_F(InstanceTest, FailedStartLeavesNothingAndThisProcessWhereItWas) {
  const std::optional<LockedInstance> holder = LockInstance(scratch_.dir(), "one", Soon()).value();
  EXPECT_FALSE(Create("one", Deadline::After(absl::ZeroDuration())).ok());
  EXPECT_EQ(OwnCgroup(), before_);
  EXPECT_FALSE(Exists("supervisor"));
}

TEST_F(InstanceTest, DelegatedCgroupIsFoundByItsMark) {
  ASSERT_EQ(setxattr(scratch_.path().c_str(), "trusted.delegate", "1", 1, 0), 0) << errno;
  ASSERT_TRUE(scratch_.dir().MoveSelfHere().ok());
  const std::unique_ptr<Instance> instance =
      Instance::Create({"one", ""}, CgroupView::OfThisProcess().value(), Soon()).value();
  EXPECT_TRUE(Exists("muster/one/workload"));
  EXPECT_EQ(OwnCgroup(), absl::StrCat("/", scratch_.name(), "/supervisor"));
  // A second daemon, started from the first one's leaf, finds the same base.
  const std::unique_ptr<Instance> second =
      Instance::Create({"two", ""}, CgroupView::OfThisProcess().value(), Soon()).value();
  EXPECT_TRUE(Exists("muster/two/workload"));
}

TEST_F(InstanceTest, CgroupThatIsNotMarkedIsNotTakenForDelegated) {
  ASSERT_TRUE(scratch_.dir().MoveSelfHere().ok());
  const std::unique_ptr<Instance> instance =
      Instance::Create({absl::StrCat("plain-", getpid()), ""}, CgroupView::OfThisProcess().value(), Soon()).value();
  EXPECT_FALSE(Exists("muster"));
  EXPECT_EQ(instance->workload_path(), absl::StrCat(TestCgroupMount(), "/muster/plain-", getpid(), "/workload"));
}

TEST_F(InstanceTest, NamesAreCheckedAndMadeUpWhenAbsent) {
  EXPECT_EQ(Create("a/b").status().code(), absl::StatusCode::kInvalidArgument);
  const std::unique_ptr<Instance> one = Create("").value();
  const std::unique_ptr<Instance> two = Create("").value();
  EXPECT_NE(one->name(), two->name());
}

TEST_F(InstanceTest, RemoveIsIdempotent) {
  const std::unique_ptr<Instance> instance = Create("one").value();
  EXPECT_TRUE(instance->Remove(Soon()).ok());
  EXPECT_TRUE(instance->Remove(Soon()).ok());
  EXPECT_FALSE(Exists("muster"));
}

TEST_F(InstanceTest, ManagerWorksBelowItsWorkloadRoot) {
  const std::unique_ptr<Instance> instance = Create("one").value();
  CgroupManager manager(instance->ManagerOptions({CpuSet::Parse("0").value(), CpuSet::Parse("0").value()}).value());
  v1::CgroupSpec spec;
  spec.set_name("a/b");
  EXPECT_EQ(manager.Create(spec, "spec", Soon())->path, scratch_.path() + "/muster/one/workload/a/b");
  EXPECT_TRUE(Exists("muster/one/workload/a/b"));
}

TEST_F(InstanceTest, ManyDaemonsComingAndGoingDoNotHarmEachOther) {
  std::vector<pid_t> daemons;
  for (int d = 0; d < 4; ++d) {
    const pid_t pid = fork();
    if (pid == 0) {
      for (int round = 0; round < 15; ++round) {
        absl::StatusOr<std::unique_ptr<Instance>> instance = Create(absl::StrCat("d", d));
        if (!instance.ok()) {
          fprintf(stderr, "%s\n", instance.status().ToString().c_str());
          _exit(1);
        }
        if (!Exists(absl::StrCat("muster/d", d, "/workload")) || !(*instance)->Remove(Soon()).ok()) _exit(2);
      }
      _exit(0);
    }
    daemons.push_back(pid);
  }
  for (pid_t pid : daemons) {
    int status = -1;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  EXPECT_FALSE(Exists("muster"));
}

}  // namespace
}  // namespace muster
