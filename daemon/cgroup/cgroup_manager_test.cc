// Settings and controllers, on a fake tree.
#include "daemon/cgroup/cgroup_manager.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/error_detail.h"
#include "daemon/cgroup/fake_cgroup_tree.h"

namespace muster {
namespace {

Deadline Soon() { return Deadline::After(absl::Seconds(10)); }

v1::CgroupSpec Spec(const std::string& text) {
  v1::CgroupSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
  return spec;
}

CgroupPath Path(absl::string_view name) { return CgroupPath::Parse(name, "name").value(); }

bool Says(const absl::Status& status, absl::string_view part) {
  return status.message().find(part) != absl::string_view::npos;
}

class CgroupManagerTest : public testing::Test {
 protected:
  CgroupManagerTest()
      : tree_({"cpu", "cpuset", "io", "memory", "pids"}, CpuSet::Parse("0-3").value()), manager_(Options()) {}

  CgroupManagerOptions Options() {
    std::vector<CgroupDir> ancestors;
    ancestors.push_back(tree_.Root());
    ancestors.push_back(tree_.Root().Create("instance").value());
    CgroupDir workload = ancestors.back().Create("workload").value();
    std::vector<ControllerStatus> controllers;
    for (const char* name : {"cpu", "cpuset", "io", "memory"}) controllers.push_back({name, true, ""});
    controllers.push_back({"pids", false, "bound to the version 1 hierarchy at /x"});
    return {std::move(workload),
            std::move(ancestors),
            std::move(controllers),
            {CpuSet::Parse("0-7").value(), CpuSet::Parse("0").value()}};
  }

  absl::Status Create(const std::string& text) { return manager_.Create(Spec(text), "spec", Soon()).status(); }
  std::string Read(const std::string& file) const { return tree_.Read("instance/workload/" + file); }
  bool Exists(const std::string& name) const { return tree_.Exists("instance/workload/" + name); }

  FakeCgroupTree tree_;
  CgroupManager manager_;
};

TEST_F(CgroupManagerTest, EverySettingReachesItsFile) {
  ASSERT_TRUE(
      Create("name: 'a' settings { cpuset_cpus: '0,1' cpuset_mems: '0' cpu_weight: 7 cpu_max_quota { nanos: 20000000 } "
             "cpu_max_period { nanos: 40000000 } memory_max_bytes: 8192 memory_high_bytes: 4096 io_weight: 9 }")
          .ok());
  EXPECT_EQ(Read("a/cpuset.cpus"), "0-1");
  EXPECT_EQ(Read("a/cpuset.mems"), "0");
  EXPECT_EQ(Read("a/cpu.weight"), "7");
  EXPECT_EQ(Read("a/cpu.max"), "20000 40000");
  EXPECT_EQ(Read("a/memory.max"), "8192");
  EXPECT_EQ(Read("a/memory.high"), "4096");
  EXPECT_EQ(Read("a/io.weight"), "9");
}

TEST_F(CgroupManagerTest, ControllersAreHandedDownOnlyAsSettingsNeedThem) {
  ASSERT_TRUE(Create("name: 'plain/leaf'").ok());
  EXPECT_EQ(tree_.Read("cgroup.subtree_control"), "");
  ASSERT_TRUE(Create("name: 'a/b' settings { cpu_weight: 7 }").ok());
  EXPECT_EQ(tree_.Read("cgroup.subtree_control"), "cpu");
  EXPECT_EQ(Read("cgroup.subtree_control"), "cpu");
  EXPECT_EQ(Read("a/cgroup.subtree_control"), "cpu");
  EXPECT_EQ(Read("a/b/cgroup.subtree_control"), "");
  EXPECT_EQ(Read("plain/cgroup.subtree_control"), "");
}

TEST_F(CgroupManagerTest, MissingControllerIsNamedWithItsReason) {
  const absl::Status status = Create("name: 'a' settings { pids_max: 9 }");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Says(status, "spec.settings.pids_max: needs the cgroup controller pids")) << status;
  EXPECT_TRUE(Says(status, "bound to the version 1 hierarchy at /x")) << status;
  EXPECT_EQ(PreconditionOf(status)->subject, "pids");
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(manager_.Validate(Spec("name: 'a' settings { pids_max: 9 }"), "spec").code(), status.code());
}

TEST_F(CgroupManagerTest, WrongSpecNamesTheField) {
  EXPECT_TRUE(Says(Create("name: 'a/..'"), "spec.name: ")) << Create("name: 'a/..'");
  EXPECT_TRUE(Says(Create("name: 'a' settings { cpu_weight: 0 }"), "spec.settings.cpu_weight: "));
  EXPECT_TRUE(Says(Create("name: 'a' kind: CGROUP_KIND_UNSPECIFIED"), "spec.kind: "));
  EXPECT_EQ(FieldOf(Create("name: 'a/..'")), "spec.name");
  EXPECT_EQ(FieldOf(Create("name: 'a' settings { cpu_weight: 0 }")), "spec.settings.cpu_weight");
  EXPECT_EQ(FieldOf(Create("name: 'a' kind: CGROUP_KIND_UNSPECIFIED")), "spec.kind");
  v1::CgroupSpec unknown = Spec("name: 'a'");
  unknown.set_kind(static_cast<v1::CgroupKind>(77));
  EXPECT_EQ(manager_.Create(unknown, "spec", Soon()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(manager_.List().empty());
}

TEST_F(CgroupManagerTest, SameAgainSucceedsAndOtherSettingsDoNot) {
  ASSERT_TRUE(Create("name: 'a' settings { cpuset_cpus: '0,1' }").ok());
  EXPECT_TRUE(Create("name: 'a' settings { cpuset_cpus: '0-1' }").ok());
  EXPECT_EQ(Create("name: 'a' settings { cpuset_cpus: '0' }").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Create("name: 'a'").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Create("name: 'a' kind: THREADED_ROOT settings { cpuset_cpus: '0-1' }").code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Read("a/cpuset.cpus"), "0-1");
}

TEST_F(CgroupManagerTest, FailureHalfWayLeavesNothing) {
  tree_.FailWrites("memory.high", absl::InternalError("EIO"));
  const absl::Status status = Create("name: 'a/b/c' settings { memory_max_bytes: 8192 memory_high_bytes: 4096 }");
  EXPECT_TRUE(Says(status, "spec.settings.memory_high_bytes: ")) << status;
  EXPECT_FALSE(Exists("a"));
  EXPECT_TRUE(manager_.List().empty());
  tree_.FailWrites("", absl::OkStatus());
  EXPECT_TRUE(Create("name: 'a/b/c' settings { memory_max_bytes: 8192 memory_high_bytes: 4096 }").ok());
}

TEST_F(CgroupManagerTest, FailureBelowAnExistingOneTakesItsControllersBack) {
  ASSERT_TRUE(Create("name: 'a'").ok());
  tree_.FailWrites("cpu.weight", absl::InternalError("EIO"));
  ASSERT_FALSE(Create("name: 'a/b' settings { cpu_weight: 7 }").ok());
  EXPECT_FALSE(Exists("a/b"));
  EXPECT_EQ(Read("a/cgroup.subtree_control"), "");
  EXPECT_TRUE(manager_.CheckAcceptsTasks(Path("a")).ok());
}

TEST_F(CgroupManagerTest, CpusThatThoseAboveDoNotGrantAreRefused) {
  const absl::Status status = Create("name: 'a' settings { cpuset_cpus: '2-5' }");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Says(status, "grant only 2-3")) << status;
  EXPECT_FALSE(Exists("a"));
}

TEST_F(CgroupManagerTest, ParentWithProcessesIsExplained) {
  ASSERT_TRUE(Create("name: 'a'").ok());
  tree_.FailWrites("cgroup.subtree_control", absl::FailedPreconditionError("write: EBUSY"));
  const absl::Status status = Create("name: 'a/b' settings { memory_max_bytes: 8192 }");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Says(status, "processes of its own")) << status;
  EXPECT_FALSE(Exists("a/b"));
}

TEST_F(CgroupManagerTest, OneThatHandsControllersDownTakesNoTasks) {
  ASSERT_TRUE(Create("name: 'a'").ok());
  EXPECT_TRUE(manager_.CheckAcceptsTasks(Path("a")).ok());
  ASSERT_TRUE(Create("name: 'a/b' settings { cpu_weight: 7 }").ok());
  EXPECT_EQ(manager_.CheckAcceptsTasks(Path("a")).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(manager_.CheckAcceptsTasks(Path("a/b")).ok());
  ASSERT_TRUE(manager_.Remove(Path("a/b"), Soon()).ok());
  EXPECT_TRUE(manager_.CheckAcceptsTasks(Path("a")).ok());
}

TEST_F(CgroupManagerTest, CpusWithoutAMemoryNodeTakeNoTasks) {
  ASSERT_TRUE(Create("name: 'a' settings { cpuset_cpus: '0' }").ok());
  tree_.Overwrite("instance/workload/a/cpuset.mems.effective", "\n");
  EXPECT_TRUE(Says(manager_.CheckAcceptsTasks(Path("a")), "set cpuset_mems"));
}

TEST_F(CgroupManagerTest, EffectiveCpusComeFromTheNearestCpuset) {
  ASSERT_TRUE(Create("name: 'a/b' settings { cpuset_cpus: '1-2' }").ok());
  ASSERT_TRUE(Create("name: 'a/b/c'").ok());
  ASSERT_TRUE(Create("name: 'other'").ok());
  EXPECT_EQ(manager_.EffectiveCpus(Path("a/b"))->ToString(), "1-2");
  EXPECT_EQ(manager_.EffectiveCpus(Path("a/b/c"))->ToString(), "1-2");
  EXPECT_EQ(manager_.EffectiveCpus(Path("other"))->ToString(), "0-3");
  EXPECT_EQ(manager_.EffectiveCpus(Path("missing")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CgroupManagerTest, ImplicitParentsGoWithTheLastBelowThem) {
  ASSERT_TRUE(Create("name: 'a/b/c'").ok());
  ASSERT_TRUE(Create("name: 'a/d'").ok());
  EXPECT_EQ(manager_.List().size(), 4u);
  ASSERT_TRUE(manager_.Remove(Path("a/b/c"), Soon()).ok());
  EXPECT_FALSE(Exists("a/b"));
  EXPECT_TRUE(Exists("a/d"));
  ASSERT_TRUE(manager_.Remove(Path("a/d"), Soon()).ok());
  EXPECT_FALSE(Exists("a"));
  EXPECT_TRUE(manager_.List().empty());
}

TEST_F(CgroupManagerTest, ParentsThatWereAskedForStay) {
  ASSERT_TRUE(Create("name: 'a/b'").ok());
  ASSERT_TRUE(Create("name: 'a' settings { cpu_weight: 3 }").ok());
  EXPECT_EQ(Read("a/cpu.weight"), "3");
  ASSERT_TRUE(manager_.Remove(Path("a/b"), Soon()).ok());
  EXPECT_TRUE(Exists("a"));
  EXPECT_EQ(manager_.Remove(Path("a/b"), Soon()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CgroupManagerTest, PoolsHaveOneOfTheirOwn) {
  const CgroupPath path = CgroupPath::OfPool("7").value();
  ASSERT_TRUE(manager_.CreateForPool(path, Soon()).ok());
  EXPECT_TRUE(Exists(".pool-7"));
  EXPECT_TRUE(manager_.Remove(path, Soon()).ok());
  EXPECT_FALSE(Exists(".pool-7"));
}

TEST_F(CgroupManagerTest, ConcurrentCallsOnOneTreeLoseNothing) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string name = absl::StrCat("shared/t", t);
        EXPECT_TRUE(Create(absl::StrCat("name: '", name, "' settings { cpu_weight: 5 }")).ok());
        EXPECT_TRUE(manager_.Remove(Path(name), Soon()).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(Exists("shared"));
  EXPECT_TRUE(manager_.List().empty());
}

}  // namespace
}  // namespace muster
