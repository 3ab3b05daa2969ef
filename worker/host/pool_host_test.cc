#include "worker/host/pool_host.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/test_run.h"
#include "base/unique_fd.h"
#include "gtest/gtest.h"
#include "worker/arena/text.h"
#include "worker/host/testing/pool_host_test_base.h"

namespace muster::host {
namespace {

using arena::Exit;
using arena::State;

class PoolHostTest : public PoolHostTestBase {};

TEST_F(PoolHostTest, WorkersRunFromStartToStopAndExitWell) {
  HostDriver host;
  const control::Reply spawned = host.Spawn("num_workers: 3");
  ASSERT_EQ(spawned.code(), 0) << spawned.message();
  for (uint32_t worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(host.StateOf(worker), State::kReady);
    EXPECT_GT(host.PidOf(worker), 0);
    EXPECT_EQ(host.IterationsOf(worker), 0u);
  }
  host.Start();
  ASSERT_TRUE(
      Eventually([&] { return host.IterationsOf(0) > 0 && host.IterationsOf(1) > 0 && host.IterationsOf(2) > 0; }));
  EXPECT_EQ(host.Stop().code(), 0);
  for (uint32_t worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(host.ExitOf(worker), Exit::kExited);
    EXPECT_EQ(host.ExitValueOf(worker), 0);
    EXPECT_EQ(host.StateOf(worker), State::kFinished);
  }
  EXPECT_EQ(host.Kill().code(), 0);
  EXPECT_EQ(host.AwaitEnd(), 0);
}

// A mount namespace of the pool host's own, and something else over /proc there.
void HaveOwnMounts() {
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(1);
}

bool CoverProcOf(pid_t host) {
  const std::string path = absl::StrCat("/proc/", host, "/ns/mnt");
  const pid_t pid = fork();
  if (pid == 0) {
    const UniqueFd mounts(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    _exit(setns(mounts.get(), CLONE_NEWNS) == 0 && mount("none", "/proc", "tmpfs", 0, nullptr) == 0 ? 0 : 1);
  }
  int status = -1;
  return waitpid(pid, &status, 0) == pid && status == 0;
}

TEST_F(PoolHostTest, EvidenceIsReadFromTheProcfsThatWasThereBeforeTheGate) {
  if (geteuid() != 0) GTEST_SKIP() << "a mount namespace needs root";
  if (kUnderTsan)
    GTEST_SKIP() << "setns(2) into a mount namespace is for processes of one thread, and the sanitizer has one more";
  for (const char* spec : {"num_workers: 2", "num_workers: 2 clone_mode: THREAD"}) {
    HostDriver host({.in_host = HaveOwnMounts});
    ASSERT_EQ(host.Spawn(spec).code(), 0);
    ASSERT_TRUE(CoverProcOf(host.pid()));
    host.Start();
    ASSERT_TRUE(Eventually([&] { return host.IterationsOf(0) > 0 && host.IterationsOf(1) > 0; }));
    EXPECT_EQ(host.Stop().code(), 0);
    for (uint32_t worker = 0; worker < 2; ++worker) {
      const arena::Control& control = host.arena().control(worker);
      EXPECT_EQ(arena::TextView(control.evidence.cgroup).substr(0, 1), "/") << spec;
      EXPECT_NE(control.final.measured & arena::kSchedstat, 0u) << spec;
    }
  }
}

TEST_F(PoolHostTest, EndOfFileSweepsEverything) {
  HostDriver host;
  ASSERT_EQ(host.Spawn("num_workers: 4").code(), 0);
  host.Start();
  ASSERT_TRUE(host.AwaitAllRunning());
  host.HangUp();
  EXPECT_EQ(host.AwaitEnd(), 0);
}

TEST_F(PoolHostTest, TermSweepsEverything) {
  HostDriver host;
  ASSERT_EQ(host.Spawn("num_workers: 4").code(), 0);
  kill(host.pid(), SIGTERM);
  EXPECT_EQ(host.AwaitEnd(), 0);
}

}  // namespace
}  // namespace muster::host
