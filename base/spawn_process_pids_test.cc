// SpawnProcess where the pids controller allows no further process.
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/pids_group_testing.h"
#include "base/spawn_process.h"

namespace muster {
namespace {

TEST(SpawnProcessPidsTest, NoRoomForAProcessIsAResourceThatIsExhausted) {
  if (!PidsGroupForTesting::IsPossible()) GTEST_SKIP() << "no version 1 pids controller on this machine";
  const PidsGroupForTesting group;
  group.PutIn(getpid());
  group.SetMax(absl::StrCat(group.Used()));
  SpawnOptions options;
  options.program = "/bin/true";
  options.arguments = {"true"};
  absl::StatusOr<SpawnedProcess> spawned = SpawnProcess(options);
  EXPECT_EQ(spawned.status().code(), absl::StatusCode::kResourceExhausted) << spawned.status();
  EXPECT_NE(spawned.status().message().find("pids.max"), absl::string_view::npos) << spawned.status();
  if (spawned.ok()) {
    EXPECT_TRUE(spawned->pidfd.Reap(Deadline::After(absl::Seconds(10))).ok());
  }
  group.TakeOut(getpid());
}

}  // namespace
}  // namespace muster
