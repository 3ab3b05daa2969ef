#include "daemon/cgroup/controllers.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

ControllerStatus Find(const ControllerEvidence& evidence, absl::string_view name) {
  for (const ControllerStatus& status : ExplainControllers(evidence)) {
    if (status.name == name) return status;
  }
  ADD_FAILURE() << "no entry for " << name;
  return {};
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(ControllersTest, ControllerOfTheBaseIsAvailable) {
  ControllerEvidence evidence;
  evidence.hierarchy = evidence.base = {"cpu"};
  EXPECT_TRUE(Find(evidence, "cpu").available);
  EXPECT_EQ(Find(evidence, "cpu").reason, "");
}

TEST(ControllersTest, MissingOneNamesItsVersion1Mount) {
  ControllerEvidence evidence;
  evidence.mountinfo =
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n33 31 0:30 / /sys/fs/cgroup/blkio rw - cgroup cgroup "
      "rw,blkio\n";
  EXPECT_FALSE(Find(evidence, "cpu").available);
  EXPECT_TRUE(Contains(Find(evidence, "cpu").reason, "version 1 hierarchy at /sys/fs/cgroup/cpu"));
  EXPECT_TRUE(Contains(Find(evidence, "io").reason, "/sys/fs/cgroup/blkio"));
}

TEST(ControllersTest, OneThatTheParentKeepsIsNotDelegated) {
  ControllerEvidence evidence;
  evidence.hierarchy = {"cpu", "memory"};
  evidence.base = {"cpu"};
  evidence.base_path = "/sys/fs/cgroup/unit";
  EXPECT_TRUE(Contains(Find(evidence, "memory").reason, "not delegated to /sys/fs/cgroup/unit"));
}

TEST(ControllersTest, ProcCgroupsTellsDisabledFromBoundFromAbsent) {
  ControllerEvidence evidence;
  evidence.proc_cgroups = "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t0\t1\t0\npids\t8\t1\t1\n";
  EXPECT_TRUE(Contains(Find(evidence, "memory").reason, "cgroup_disable="));
  EXPECT_TRUE(Contains(Find(evidence, "pids").reason, "not mounted here"));
  EXPECT_TRUE(Contains(Find(evidence, "cpuset").reason, "not in this kernel"));
}

}  // namespace
}  // namespace muster
