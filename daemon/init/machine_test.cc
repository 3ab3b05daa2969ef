#include "daemon/init/machine.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "daemon/init/namespaced.h"

namespace muster::init {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MachineTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(root_.data()), nullptr); }
  void TearDown() override { EXPECT_EQ(rmdir(root_.c_str()), 0); }

  // In a namespace: an empty root, as that of an initramfs with nothing but us.
  bool EnterEmptyRoot() const {
    return mount("tmpfs", root_.c_str(), "tmpfs", 0, nullptr) == 0 && chroot(root_.c_str()) == 0 && chdir("/") == 0;
  }

  std::string root_ = "/tmp/machineXXXXXX";
};

bool IsOfType(const char* path, long magic) {
  struct statfs status;
  return statfs(path, &status) == 0 && status.f_type == magic;
}

int ExitCode(Namespaced* process) {
  const absl::StatusOr<ProcessEnd> end = process->Finish();
  EXPECT_TRUE(end.ok()) << end.status();
  return end.ok() ? end->exit_code : -1;
}

TEST_F(MachineTest, AnEmptyRootGetsItsFileSystems) {
  Namespaced process([&] {
    if (!EnterEmptyRoot()) return 20;
    MountFileSystems();
    if (!IsOfType("/proc", PROC_SUPER_MAGIC)) return 21;
    if (!IsOfType("/sys", SYSFS_MAGIC)) return 22;
    if (access("/dev/null", F_OK) != 0) return 23;
    if (!IsOfType("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC)) return 24;
    for (const char* path : {"/dev/shm", "/run", "/tmp"}) {
      if (!IsOfType(path, TMPFS_MAGIC)) return 25;
    }
    return IsOfType("/sys/kernel/debug", DEBUGFS_MAGIC) ? 0 : 26;
  });
  EXPECT_EQ(ExitCode(&process), 0) << process.output();
  EXPECT_EQ(process.output(), "");
}

TEST_F(MachineTest, WhatIsMountedStays) {
  Namespaced process([&] {
    if (!EnterEmptyRoot() || mkdir("/run", 0755) != 0) return 20;
    // Of another type than ours would be, and with something in it.
    if (mount("ramfs", "/run", "ramfs", 0, nullptr) != 0 || !std::ofstream("/run/marker")) return 21;
    MountFileSystems();
    if (access("/run/marker", F_OK) != 0) return 22;
    // A second time nothing at all happens.
    MountFileSystems();
    int mounts = 0;
    std::ifstream table("/proc/self/mountinfo");
    for (std::string line; std::getline(table, line);) mounts += line.find(" /proc ") != std::string::npos;
    return mounts == 1 ? 0 : 23;
  });
  EXPECT_EQ(ExitCode(&process), 0) << process.output();
  EXPECT_EQ(process.output(), "");
}

TEST_F(MachineTest, PidOneOfANamespaceDoesNotTakeTheMachine) {
  Namespaced process([] { return getpid() == 1 && !TakeMachine() ? 0 : 20; });
  EXPECT_EQ(ExitCode(&process), 0);
}

TEST_F(MachineTest, NobodyButPidOneTakesTheMachine) { EXPECT_FALSE(TakeMachine()); }

// There it ends the namespace, which its parent sees as SIGINT (reboot(2)).
TEST_F(MachineTest, PowerOffReachesTheKernel) {
  Namespaced process([]() -> int { PowerOff(); });
  const absl::StatusOr<ProcessEnd> end = process.Finish();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->signal, SIGINT) << process.output();
  EXPECT_THAT(process.output(), HasSubstr("muster-init: power-off uptime_ms="));
}

}  // namespace
}  // namespace muster::init
