#include "base/cgroup_mounts.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

constexpr char kHybrid[] =
    "23 0 0:2 / / rw - rootfs rootfs rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 master:2 - cgroup2 cgroup2 rw\n";

TEST(CgroupMountsTest, UnifiedMountOfAHybridSystemIsFound) {
  EXPECT_EQ(FindCgroup2Mount(kHybrid).value(), "/sys/fs/cgroup/unified");
}

TEST(CgroupMountsTest, MountOfTheHierarchysRootIsPreferred) {
  EXPECT_EQ(FindCgroup2Mount("50 31 0:38 /part /mnt/part rw - cgroup2 cgroup2 rw\n"
                             "51 31 0:38 / /mnt/whole rw - cgroup2 cgroup2 rw\n")
                .value(),
            "/mnt/whole");
  EXPECT_EQ(FindCgroup2Mount("50 31 0:38 /part /mnt/part rw - cgroup2 cgroup2 rw\n").value(), "/mnt/part");
}

TEST(CgroupMountsTest, BlanksInAMountPointAreUnescaped) {
  EXPECT_EQ(FindCgroup2Mount("51 31 0:38 / /mnt/a\\040b rw - cgroup2 cgroup2 rw\n").value(), "/mnt/a b");
}

TEST(CgroupMountsTest, NoMountIsNotFoundAndSaysHowToMakeOne) {
  const absl::Status status = FindCgroup2Mount("23 0 0:2 / / rw - rootfs rootfs rw\ngarbage\n\n- - - -\n").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("mount -t cgroup2"), absl::string_view::npos);
}

TEST(CgroupMountsTest, ControllersOfVersion1AreToldWithTheirMounts) {
  const std::map<std::string, std::string> controllers = FindCgroup1Controllers(kHybrid);
  EXPECT_EQ(controllers.at("cpu"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(controllers.at("cpuset"), "/sys/fs/cgroup/cpuset");
  EXPECT_EQ(controllers.count("memory"), 0u);
}

TEST(CgroupMountsTest, OwnCgroupIsTheLineOfHierarchyZero) {
  EXPECT_EQ(ParseCgroupFile("8:pids:/x\n0::/system.slice/a b.service\n").value(), "/system.slice/a b.service");
  EXPECT_EQ(ParseCgroupFile("0::/\n").value(), "/");
  EXPECT_EQ(ParseCgroupFile("1:cpu:/0::/x\n0::/last").value(), "/last")
      << "a line that begins so, and the last without an end";
  EXPECT_EQ(ParseCgroupFile("0::deleted\n").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ParseCgroupFile("8:pids:/x\n").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace muster
