// The private daemon of `muster`, whatever happens to the one or the other.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "base/spawn_process.h"
#include "tests/cli/embedded_test.h"

namespace muster {
namespace {

class PrivateDaemonTest : public EmbeddedTest {
 protected:
  // `muster run` of two spinners for an hour, once they run.
  StartedProgram StartLongRun() {
    const std::string spec = root_ + "/spec.txtpb";
    std::ofstream(spec) << "num_workers: 2 work { mixed {} }";
    StartedProgram program = StartMuster({"run", spec, "--duration", "1h"});
    EXPECT_TRUE(WaitForOutput(program, "2/2 workers running"));
    return program;
  }

  // Waits until the program has printed `text`.
  static bool WaitForOutput(const StartedProgram& program, const std::string& text) {
    const Deadline deadline = Deadline::After(absl::Seconds(60));
    while (!deadline.Expired()) {
      if (absl::StrContains(ReadOutput(program.standard_output), text)) return true;
      // A memory file wakes nobody when it grows.
      usleep(10'000);
    }
    return false;
  }

  static std::vector<pid_t> ChildrenOf(pid_t pid) {
    std::vector<pid_t> children;
    std::ifstream file(absl::StrCat("/proc/", pid, "/task/", pid, "/children"));
    for (pid_t child = 0; file >> child;) children.push_back(child);
    return children;
  }

  // musterd itself, with these flags besides.
  SpawnedProcess StartDaemon(const std::vector<std::string>& flags, std::vector<DescriptorMapping> descriptors = {}) {
    SpawnOptions spawn;
    spawn.program = "daemon/musterd";
    spawn.arguments = {"musterd",         "--listen", absl::StrCat("unix://", root_, "/d.sock"),
                       "--worker-binary", worker_,    "--die-with-parent"};
    spawn.arguments.insert(spawn.arguments.end(), flags.begin(), flags.end());
    spawn.descriptors = std::move(descriptors);
    absl::StatusOr<SpawnedProcess> daemon = SpawnProcess(spawn);
    EXPECT_TRUE(daemon.ok()) << daemon.status();
    return *std::move(daemon);
  }
};

TEST_F(PrivateDaemonTest, DaemonWhoseStarterHasEndedBeforeItServesEnds) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  UniqueFd nobody(pipe_ends[0]);
  const UniqueFd ready(pipe_ends[1]);
  nobody.Reset();
  const SpawnedProcess daemon = StartDaemon({"--ready-fd", "3"}, {{.child_fd = 3, .parent_fd = ready.get()}});
  const absl::StatusOr<ProcessEnd> end = daemon.pidfd.Reap(Deadline::After(absl::Seconds(60)));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 70);
}

// Whoever takes its place as the parent is not the one to die with.
TEST_F(PrivateDaemonTest, DaemonWhoseStarterHasEndedBeforeItLooksDoesNotServe) {
  const SpawnedProcess daemon = StartDaemon({"--parent-pid", absl::StrCat(getppid())});
  absl::StatusOr<ProcessEnd> end = daemon.pidfd.Reap(Deadline::After(absl::Seconds(60)));
  if (!end.ok()) {
    ASSERT_TRUE(daemon.pidfd.Signal(SIGTERM).ok());
    end = daemon.pidfd.Reap(Deadline::After(absl::Seconds(60)));
  }
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 69);
}

// As in a container: nobody's child, and whom orphans go to.
TEST_F(PrivateDaemonTest, FirstProcessOfAPidNamespaceRuns) {
  const std::string spec = root_ + "/spec.txtpb";
  std::ofstream(spec) << "num_workers: 2 work { mixed {} }";
  const ProgramResult result = RunProgram("/usr/bin/unshare",
                                          {"--fork", "--kill-child", "--pid", "--mount-proc", "tools/muster", "run",
                                           spec, "--duration", "100ms", "--muster-worker", worker_},
                                          {"MUSTER_TARGET=", "TMPDIR=" + root_});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_output, "--- stats ---\n2 workers")) << result.standard_output;
}

TEST_F(PrivateDaemonTest, InterruptedRunStillCollects) {
  StartedProgram program = StartLongRun();
  const pid_t pid = program.process.pid;
  ASSERT_TRUE(program.process.pidfd.Signal(SIGINT).ok());
  const ProgramResult result = FinishProgram(std::move(program));
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_output, "--- stats ---\n2 workers")) << result.standard_output;
  EXPECT_TRUE(InstancesOf(pid).empty());
}

TEST_F(PrivateDaemonTest, KilledMusterTakesDaemonWorkersCgroupsAndSocketAlong) {
  StartedProgram program = StartLongRun();
  const pid_t pid = program.process.pid;
  ASSERT_EQ(InstancesOf(pid).size(), 1u);
  ASSERT_TRUE(program.process.pidfd.Signal(SIGKILL).ok());
  FinishProgram(std::move(program));
  EXPECT_EQ(WaitUntilNothingIsLeft(), "");
  EXPECT_TRUE(InstancesOf(pid).empty());
}

TEST_F(PrivateDaemonTest, KilledDaemonIsExitCode69AndLeavesNothing) {
  StartedProgram program = StartLongRun();
  const pid_t pid = program.process.pid;
  const std::vector<pid_t> children = ChildrenOf(pid);
  ASSERT_EQ(children.size(), 1u) << "the daemon is muster's only child";
  // The run, which has an hour to go, notices by itself.
  ASSERT_EQ(kill(children[0], SIGKILL), 0);
  EXPECT_EQ(FinishProgram(std::move(program)).exit_code, 69);
  EXPECT_EQ(WaitUntilNothingIsLeft(), "");
  EXPECT_TRUE(InstancesOf(pid).empty());
}

TEST_F(PrivateDaemonTest, TwoRunsSideBySideDoNotTouchEachOther) {
  StartedProgram one = StartLongRun();
  StartedProgram two = StartLongRun();
  ASSERT_TRUE(one.process.pidfd.Signal(SIGKILL).ok());
  FinishProgram(std::move(one));
  ASSERT_TRUE(two.process.pidfd.Signal(SIGINT).ok());
  EXPECT_EQ(FinishProgram(std::move(two)).exit_code, 0);
}

TEST_F(PrivateDaemonTest, DaemonsOwnRefusalReachesTheUserWithItsField) {
  const std::string spec = root_ + "/spec.txtpb";
  std::ofstream(spec) << "num_workers: 3 work { pipe_io {} }";
  const ProgramResult result = Muster({"run", spec});
  EXPECT_EQ(result.exit_code, 65) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_error, "num_workers")) << result.standard_error;
  EXPECT_EQ(result.standard_output, "");
}

TEST_F(PrivateDaemonTest, CatalogueNamesEveryArmOfWork) {
  const ProgramResult result = Muster({"types", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  for (const char* name : {"SpinWait", "PipeIo", "FutexFanOut", "Custom", "TimerLatency"}) {
    EXPECT_TRUE(absl::StrContains(result.standard_output, absl::StrCat("\"name\":\"", name, "\""))) << name;
  }
}

}  // namespace
}  // namespace muster
