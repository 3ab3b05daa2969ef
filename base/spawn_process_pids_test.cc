// SpawnProcess where the pids controller allows no further process.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/cgroup_mounts.h"
#include "base/file_io.h"
#include "base/spawn_process.h"

namespace muster {
namespace {

TEST(SpawnProcessPidsTest, NoRoomForAProcessIsAResourceThatIsExhausted) {
  const auto controllers = FindCgroup1Controllers(*ReadFile("/proc/self/mountinfo"));
  const auto pids = controllers.find("pids");
  if (pids == controllers.end()) GTEST_SKIP() << "no version 1 pids controller on this machine";
  const std::string group = absl::StrCat(pids->second, "/muster-test-", getpid());
  ASSERT_EQ(mkdir(group.c_str(), 0755), 0);
  ASSERT_TRUE(WriteFileAt(AT_FDCWD, group + "/cgroup.procs", absl::StrCat(getpid())).ok());
  const absl::StatusOr<std::string> used = ReadFile(group + "/pids.current");
  EXPECT_TRUE(used.ok()) << used.status();
  EXPECT_TRUE(WriteFileAt(AT_FDCWD, group + "/pids.max", used.value_or("1")).ok());
  SpawnOptions options;
  options.program = "/bin/true";
  options.arguments = {"true"};
  absl::StatusOr<SpawnedProcess> spawned = SpawnProcess(options);
  EXPECT_EQ(spawned.status().code(), absl::StatusCode::kResourceExhausted) << spawned.status();
  EXPECT_NE(spawned.status().message().find("pids.max"), absl::string_view::npos) << spawned.status();
  if (spawned.ok()) {
    EXPECT_TRUE(spawned->pidfd.Reap(Deadline::After(absl::Seconds(10))).ok());
  }
  // Back, so that the group can be removed.
  EXPECT_TRUE(WriteFileAt(AT_FDCWD, pids->second + "/cgroup.procs", absl::StrCat(getpid())).ok());
  EXPECT_EQ(rmdir(group.c_str()), 0);
}

}  // namespace
}  // namespace muster
