#include "daemon/cgroup/name.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

absl::Status Parse(absl::string_view name) { return CgroupPath::Parse(name, "spec.name").status(); }

TEST(CgroupPathTest, NestedNamesAreTaken) {
  for (const char* name : {"cg0", "a/b", "a/b/c", "x.y", "with space", "_", "-", "cgroup", "cpu"}) {
    EXPECT_TRUE(Parse(name).ok()) << name << ": " << Parse(name);
  }
  const CgroupPath path = CgroupPath::Parse("a/b/c", "f").value();
  EXPECT_EQ(path.components(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(path.Prefix(2), "a/b");
}

TEST(CgroupPathTest, NamesThatLeaveTheRootOrHideAreRefused) {
  const std::string nul("a\0b", 3);
  for (absl::string_view name :
       {absl::string_view(""), absl::string_view("/"), absl::string_view("/a"), absl::string_view("a/"),
        absl::string_view("a//b"), absl::string_view("."), absl::string_view(".."), absl::string_view("a/.."),
        absl::string_view("a/./b"), absl::string_view(".pool-1"), absl::string_view("a/.b"), absl::string_view("a\nb"),
        absl::string_view(nul)}) {
    EXPECT_EQ(Parse(name).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(Parse(name).message().find("spec.name: "), 0u) << Parse(name);
  }
}

TEST(CgroupPathTest, NamesOfInterfaceFilesAreRefused) {
  for (const char* name : {"cgroup.procs", "a/memory.max", "cpu.x"}) {
    EXPECT_EQ(Parse(name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST(CgroupPathTest, LengthsAreBounded) {
  EXPECT_TRUE(Parse(std::string(CgroupPath::kMaxComponentBytes, 'x')).ok());
  EXPECT_FALSE(Parse(std::string(CgroupPath::kMaxComponentBytes + 1, 'x')).ok());
  std::string deep = "d";
  for (size_t i = 1; i < CgroupPath::kMaxDepth; ++i) deep += "/d";
  EXPECT_TRUE(Parse(deep).ok());
  EXPECT_FALSE(Parse(deep + "/d").ok());
  EXPECT_FALSE(Parse(std::string(CgroupPath::kMaxBytes + 1, 'x')).ok());
}

TEST(CgroupPathTest, PoolsHaveNamesThatNoUserCanWrite) {
  EXPECT_EQ(CgroupPath::OfPool("p-17")->text(), ".pool-p-17");
  EXPECT_FALSE(Parse(".pool-p-17").ok());
  EXPECT_FALSE(CgroupPath::OfPool("").ok());
  EXPECT_FALSE(CgroupPath::OfPool("../x").ok());
}

TEST(InstanceNameTest, IsOnePlainComponent) {
  EXPECT_TRUE(CheckInstanceName("resident-1.a_b").ok());
  for (const char* name : {"", ".", "..", ".a", "a/b", "a b", "cgroup.procs"}) {
    EXPECT_EQ(CheckInstanceName(name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_FALSE(CheckInstanceName(std::string(65, 'a')).ok());
}

}  // namespace
}  // namespace muster
