#include "client/cgroup_group.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/support/fake_muster.h"

namespace muster {
namespace {

class CgroupGroupTest : public testing::Test {
 protected:
  CgroupGroupTest() : client_(*Client::Connect(fake_.address())) {}

  // Calls that concern cgroups.
  std::vector<std::string> CgroupCalls() {
    std::vector<std::string> calls;
    for (const std::string& call : fake_.Calls()) {
      if (call.find("Cgroup") != std::string::npos) calls.push_back(call);
    }
    return calls;
  }

  FakeMuster fake_;
  Client client_;
};

TEST_F(CgroupGroupTest, EndOfTheGroupRemovesTheLastMadeFirst) {
  {
    CgroupGroup group(client_);
    ASSERT_TRUE(group.AddCgroup("a", *CpuSet::Parse("0")).ok());
    ASSERT_TRUE(group.AddCgroupNoCpuset("a/b").ok());
    EXPECT_EQ(group.names(), (std::vector<std::string>{"a", "a/b"}));
  }
  EXPECT_EQ(CgroupCalls(),
            (std::vector<std::string>{"CreateCgroup a", "CreateCgroup a/b", "RemoveCgroup a/b", "RemoveCgroup a"}));
}

TEST_F(CgroupGroupTest, CpusetIsWrittenOnlyWhereAsked) {
  CgroupGroup group(client_);
  ASSERT_TRUE(group.AddCgroup("a", *CpuSet::Parse("0-1")).ok());
  EXPECT_EQ(fake_.last_create_cgroup().spec().settings().cpuset_cpus(), "0-1");
  EXPECT_FALSE(fake_.last_create_cgroup().keep());
  ASSERT_TRUE(group.AddCgroupNoCpuset("b").ok());
  EXPECT_FALSE(fake_.last_create_cgroup().spec().has_settings());
}

TEST_F(CgroupGroupTest, EmptyCpusetIsRefusedBeforeAnythingIsMade) {
  CgroupGroup group(client_);
  EXPECT_EQ(group.AddCgroup("a", CpuSet()).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(CgroupCalls().empty());
}

TEST_F(CgroupGroupTest, CgroupThatCouldNotBeMadeIsNotRemoved) {
  {
    CgroupGroup group(client_);
    fake_.FailNext("CreateCgroup", grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "no cpuset"));
    EXPECT_FALSE(group.AddCgroup("a", *CpuSet::Parse("0")).ok());
  }
  EXPECT_EQ(CgroupCalls(), std::vector<std::string>{"CreateCgroup a"});
}

TEST_F(CgroupGroupTest, CgroupRemovedByAnotherIsNoObstacle) {
  {
    CgroupGroup group(client_);
    ASSERT_TRUE(group.AddCgroupNoCpuset("a").ok());
    ASSERT_TRUE(group.AddCgroupNoCpuset("b").ok());
    fake_.FailNext("RemoveCgroup", grpc::Status(grpc::StatusCode::NOT_FOUND, "gone"));
  }
  EXPECT_EQ(CgroupCalls().back(), "RemoveCgroup a");
}

TEST_F(CgroupGroupTest, MovedFromGroupRemovesNothing) {
  std::optional<CgroupGroup> first(client_);
  ASSERT_TRUE(first->AddCgroupNoCpuset("a").ok());
  const CgroupGroup second = *std::move(first);
  first.reset();
  EXPECT_EQ(CgroupCalls(), std::vector<std::string>{"CreateCgroup a"});
  EXPECT_EQ(second.names(), std::vector<std::string>{"a"});
}

TEST_F(CgroupGroupTest, ManagerRemovesNothingByItself) {
  {
    const CgroupManager manager(client_);
    v1::CgroupSpec spec;
    spec.set_name("kept");
    const auto created = manager.Create(spec, CgroupLifetime::kKept);
    ASSERT_TRUE(created.ok()) << created.status();
    EXPECT_EQ(created->path(), "/sys/fs/cgroup/muster/fake/kept");
    EXPECT_TRUE(fake_.last_create_cgroup().keep());
  }
  EXPECT_EQ(fake_.Count("RemoveCgroup kept"), 0);
  EXPECT_TRUE(CgroupManager(client_).Remove("kept").ok());
}

}  // namespace
}  // namespace muster
