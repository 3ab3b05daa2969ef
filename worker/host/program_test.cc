// Custom programs: the worker becomes one, is stopped by its signal, and counts through its telemetry.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "gtest/gtest.h"
#include "worker/host/testing/pool_host_test_base.h"
#include "worker/telemetry/muster_telemetry.h"

namespace muster::host {
namespace {

using arena::Exit;
using arena::State;

class ProgramTest : public PoolHostTestBase {
 protected:
  // Two workers that run the program with these fields of Custom.Program besides its path.
  control::Reply SpawnProgram(absl::string_view fields) {
    const std::string path = *AbsolutePath(getenv("MUSTER_PROGRAM"));
    return host_.Spawn({.spec = absl::StrCat("num_workers: 2 work { custom { label: 'p' program { path: '", path, "' ",
                                             fields, " } } }"),
                        .allow_exec = true});
  }
  static absl::StatusOr<std::string> AbsolutePath(const char* path) {
    char* const resolved = realpath(path, nullptr);
    const std::string text = resolved == nullptr ? "" : resolved;
    free(resolved);
    return text;
  }
  muster_telemetry TelemetryOf(uint32_t worker) const {
    muster_telemetry telemetry = {};
    const int fd = host_.arena().host(worker).telemetry_fd;
    const absl::StatusOr<std::string> bytes = ReadFile(absl::StrCat("/proc/", host_.pid(), "/fd/", fd));
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    if (bytes.ok()) memcpy(&telemetry, bytes->data(), sizeof(telemetry));
    return telemetry;
  }
  void StartAndAwaitCounts() {
    host_.Start();
    ASSERT_TRUE(Eventually([this] { return TelemetryOf(0).iterations > 0 && TelemetryOf(1).iterations > 0; }));
  }

  HostDriver host_;
};

TEST_F(ProgramTest, CountsIntoATelemetryOfItsOwnAndStopsAtItsSignal) {
  const control::Reply reply = SpawnProgram("stop_signal: 2");
  ASSERT_EQ(reply.code(), 0) << reply.message();
  EXPECT_EQ(TelemetryOf(0).magic, MUSTER_TELEMETRY_MAGIC);
  EXPECT_EQ(TelemetryOf(0).iterations, 0u) << "it does not run before the gate";
  EXPECT_NE(host_.arena().host(0).telemetry_fd.load(), host_.arena().host(1).telemetry_fd.load());
  StartAndAwaitCounts();
  EXPECT_EQ(host_.StateOf(0), State::kExec);
  EXPECT_EQ(host_.Stop().code(), 0);
  for (uint32_t worker = 0; worker < 2; ++worker) {
    EXPECT_EQ(host_.ExitOf(worker), Exit::kExited);
    EXPECT_EQ(host_.ExitValueOf(worker), 7);
    EXPECT_GT(host_.arena().host(worker).cpu_time_ns, 0u);
    EXPECT_GT(host_.arena().host(worker).max_rss_bytes, 0u);
    EXPECT_EQ(TelemetryOf(worker).work_units, 10 * TelemetryOf(worker).iterations);
  }
}

TEST_F(ProgramTest, ItsDefaultStopSignalEndsOneThatDoesNotHandleIt) {
  ASSERT_EQ(SpawnProgram("").code(), 0);
  StartAndAwaitCounts();
  EXPECT_EQ(host_.Stop().code(), 0);
  EXPECT_EQ(host_.ExitOf(0), Exit::kSignaled);
  EXPECT_EQ(host_.ExitValueOf(0), SIGTERM);
}

TEST_F(ProgramTest, OneThatIsDeafIsLateAndGone) {
  ASSERT_EQ(SpawnProgram("args: 'deaf'").code(), 0);
  StartAndAwaitCounts();
  EXPECT_EQ(host_.Stop(absl::Milliseconds(100)).code(), 0);
  EXPECT_EQ(host_.ExitOf(0), Exit::kTimedOut);
}

TEST_F(ProgramTest, SeesItsEnvironmentAndDescriptorsAndNothingElse) {
  ASSERT_EQ(SpawnProgram("env: 'A=b'").code(), 0);
  StartAndAwaitCounts();
  const std::string number = absl::StrCat(host_.arena().host(0).telemetry_fd.load());
  const absl::StatusOr<std::string> environment = ReadFile(absl::StrCat("/proc/", host_.PidOf(0), "/environ"));
  ASSERT_TRUE(environment.ok());
  EXPECT_EQ(*environment,
            absl::StrCat("A=b", std::string(1, '\0'), "MUSTER_TELEMETRY_FD=", number, std::string(1, '\0')));
  for (int fd = 3; fd < 100; ++fd) {
    const bool open = access(absl::StrCat("/proc/", host_.PidOf(0), "/fd/", fd).c_str(), F_OK) == 0;
    EXPECT_EQ(open, number == absl::StrCat(fd)) << fd;
  }
}

TEST_F(ProgramTest, AStopBeforeTheStartNeverRunsIt) {
  ASSERT_EQ(SpawnProgram("stop_signal: 2").code(), 0);
  EXPECT_EQ(host_.Stop().code(), 0);
  EXPECT_EQ(TelemetryOf(0).iterations, 0u);
  EXPECT_EQ(host_.StateOf(0), State::kFinished);
}

TEST_F(ProgramTest, DiesWithItsHost) {
  ASSERT_EQ(SpawnProgram("args: 'deaf'").code(), 0);
  StartAndAwaitCounts();
  const pid_t pids[] = {host_.PidOf(0), host_.PidOf(1)};
  kill(host_.pid(), SIGKILL);
  EXPECT_NE(host_.AwaitEnd(), -1);
  for (const pid_t pid : pids) {
    EXPECT_TRUE(Eventually([&] { return waitpid(pid, nullptr, WNOHANG) == pid; }));
  }
}

}  // namespace
}  // namespace muster::host
