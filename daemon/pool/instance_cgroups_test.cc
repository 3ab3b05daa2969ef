#include "daemon/pool/instance_cgroups.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/cgroup_testing.h"
#include "base/file_io.h"
#include "daemon/cgroup/instance.h"

namespace muster {
namespace {

class InstanceCgroupsTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<CgroupView> view = CgroupView::OfThisProcess();
    ASSERT_TRUE(view.ok()) << view.status();
    const std::string name = absl::StrCat("cgroups-test-", getpid());
    auto instance = Instance::Create({.name = name}, *view, Deadline::After(absl::Seconds(10)));
    ASSERT_TRUE(instance.ok()) << instance.status();
    instance_ = *std::move(instance);
    absl::StatusOr<CgroupManagerOptions> options = instance_->ManagerOptions(
        {.online_cpus = *CpuSet::Parse(*ReadFile("/sys/devices/system/cpu/online")), .memory_nodes = {}});
    ASSERT_TRUE(options.ok()) << options.status();
    workload_.emplace(*CgroupDir::OpenPath(instance_->workload_path()));
    manager_.emplace(*std::move(options));
    cgroups_.emplace(&*manager_, &*workload_);
  }

  v1::CgroupSpec SpecOf(const std::string& name, v1::CgroupKind kind = v1::DOMAIN) {
    v1::CgroupSpec spec;
    spec.set_name(name);
    spec.set_kind(kind);
    return spec;
  }

  absl::Status MakeAsClient(const std::string& name) {
    return manager_->Create(SpecOf(name), "spec", Deadline::After(absl::Seconds(5))).status();
  }

  std::unique_ptr<Instance> instance_;
  std::optional<CgroupDir> workload_;
  std::optional<CgroupManager> manager_;
  std::optional<InstanceCgroups> cgroups_;
};

TEST_F(InstanceCgroupsTest, OwnCgroupIsADomainThatCanBeOpenedAndRemovedByItsName) {
  absl::StatusOr<PoolCgroup> own = cgroups_->CreateOwn("p1");
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->name, ".pool-p1");
  EXPECT_EQ(own->domain_name, own->name);
  EXPECT_TRUE(own->dir.valid());
  EXPECT_TRUE(cgroups_->Open(own->name).ok());
  EXPECT_EQ(*cgroups_->Kill(own->name), 0);
  EXPECT_TRUE(cgroups_->Remove(own->name, Deadline::After(absl::Seconds(5))).ok());
  EXPECT_TRUE(absl::IsNotFound(cgroups_->Open(own->name).status()));
}

TEST_F(InstanceCgroupsTest, ThreadedCgroupNamesTheDomainThatProcessesAreBornIn) {
  ASSERT_TRUE(cgroups_->Create(SpecOf("root", v1::THREADED_ROOT), "p1").ok());
  ASSERT_TRUE(cgroups_->Create(SpecOf("root/a", v1::THREADED), "p1").ok());
  absl::StatusOr<PoolCgroup> threaded = cgroups_->Open("root/a");
  ASSERT_TRUE(threaded.ok()) << threaded.status();
  EXPECT_EQ(threaded->kind, v1::THREADED);
  EXPECT_EQ(threaded->domain_name, "root");
  EXPECT_TRUE(threaded->domain_dir.valid());
}

TEST_F(InstanceCgroupsTest, ASpecsOwnCgroupMustBeNew) {
  ASSERT_TRUE(cgroups_->Create(SpecOf("mine"), "p1").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(cgroups_->Create(SpecOf("mine"), "p2")));
}

TEST_F(InstanceCgroupsTest, APoolsCgroupIsNobodyElsesToMakeAgain) {
  ASSERT_TRUE(cgroups_->Create(SpecOf("mine"), "p1").ok());
  const absl::Status again = MakeAsClient("mine");
  EXPECT_TRUE(absl::IsAlreadyExists(again)) << again;
  EXPECT_NE(again.message().find("pool p1"), absl::string_view::npos) << again;
  const absl::Status below = MakeAsClient("mine/below");
  EXPECT_TRUE(absl::IsAlreadyExists(below)) << below;
  EXPECT_NE(below.message().find("pool p1"), absl::string_view::npos) << below;
  EXPECT_TRUE(absl::IsAlreadyExists(cgroups_->Create(SpecOf("mine/below"), "p2")));
  EXPECT_TRUE(cgroups_->Create(SpecOf("mine/below"), "p1").ok());
}

TEST_F(InstanceCgroupsTest, AParentOfAClientsCgroupIsNoPoolsToOwn) {
  ASSERT_TRUE(MakeAsClient("a/c").ok());
  const absl::Status owned = cgroups_->Create(SpecOf("a"), "p1");
  EXPECT_TRUE(absl::IsAlreadyExists(owned)) << owned;
  EXPECT_TRUE(manager_->Open(*CgroupPath::Parse("a/c", "name")).ok());
}

TEST_F(InstanceCgroupsTest, AParentOfAPoolsCgroupIsThatPoolsOnly) {
  ASSERT_TRUE(cgroups_->Create(SpecOf("a/c"), "p1").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(MakeAsClient("a")));
  EXPECT_TRUE(absl::IsAlreadyExists(cgroups_->Create(SpecOf("a"), "p2")));
  EXPECT_TRUE(cgroups_->Create(SpecOf("a"), "p1").ok());
}

TEST_F(InstanceCgroupsTest, AClientsRemovalSparesPools) {
  const CgroupPath path = *CgroupPath::Parse("a", "name");
  const Deadline soon = Deadline::After(absl::Seconds(5));
  ASSERT_TRUE(MakeAsClient("a").ok());
  ASSERT_TRUE(cgroups_->Create(SpecOf("a/x"), "p1").ok());
  EXPECT_TRUE(MakeAsClient("a").ok()) << "again";
  TestChild child;
  child.MoveTo(*manager_->Open(*CgroupPath::Parse("a/x", "name")));
  const absl::Status refused = manager_->RemoveBesidePools(path, soon).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_FALSE(child.HasEnded());
  ASSERT_TRUE(cgroups_->Remove("a/x", soon).ok());
  EXPECT_TRUE(manager_->RemoveBesidePools(path, soon).ok());
}

TEST_F(InstanceCgroupsTest, OfPoolsThatAskAtOnceOneGetsTheCgroup) {
  constexpr int kPools = 4;
  constexpr int kRounds = 200;
  std::vector<std::atomic<int>> made(kRounds);
  std::barrier gate(kPools);
  std::vector<std::thread> threads;
  for (int pool = 0; pool < kPools; ++pool) {
    threads.emplace_back([&, pool] {
      for (int round = 0; round < kRounds; ++round) {
        gate.arrive_and_wait();
        const absl::Status status = cgroups_->Create(SpecOf(absl::StrCat("x", round)), absl::StrCat("p", pool));
        EXPECT_TRUE(status.ok() || absl::IsAlreadyExists(status)) << status;
        made[round] += status.ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int round = 0; round < kRounds; ++round) EXPECT_EQ(made[round], 1) << round;
}

TEST_F(InstanceCgroupsTest, KillingTheRootCountsWhatLivesBelowIt) {
  ASSERT_TRUE(cgroups_->Create(SpecOf("a"), "p1").ok());
  absl::StatusOr<CgroupDir> dir = workload_->Open("a");
  ASSERT_TRUE(dir.ok());
  TestChild child;
  ASSERT_TRUE(dir->WriteFile("cgroup.procs", absl::StrCat(child.pid())).ok());
  EXPECT_EQ(*cgroups_->Kill(""), 1);
}

TEST_F(InstanceCgroupsTest, WithoutAMemoryControllerOomKillsAreUnknownNotZero) {
  ASSERT_TRUE(cgroups_->Create(SpecOf("a"), "p1").ok());
  const absl::StatusOr<uint64_t> kills = cgroups_->OomKills("a");
  if (!kills.ok()) {
    EXPECT_TRUE(absl::IsUnavailable(kills.status())) << kills.status();
  } else {
    EXPECT_EQ(*kills, 0u);
  }
}

TEST_F(InstanceCgroupsTest, TheRootHasTheCpusThatAPoolsOwnCgroupWillHave) {
  const absl::StatusOr<CpuSet> root = cgroups_->EffectiveCpus("");
  ASSERT_TRUE(root.ok()) << root.status();
  ASSERT_TRUE(cgroups_->CreateOwn("p1").ok());
  EXPECT_EQ(*root, *cgroups_->EffectiveCpus(".pool-p1"));
}

TEST_F(InstanceCgroupsTest, NamesThatLeaveTheRootAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(cgroups_->Open("../x").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(cgroups_->Open(".pool-../x").status()));
}

}  // namespace
}  // namespace muster
