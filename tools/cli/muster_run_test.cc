// The program itself, against a daemon without workers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "base/test_run.h"
#include "tests/support/fake_muster.h"
#include "tests/support/json_object.h"
#include "tests/support/program_run.h"

namespace muster {
namespace {

class MusterRunTest : public testing::Test {
 protected:
  MusterRunTest() {
    char pattern[] = "/tmp/muster_run.XXXXXX";
    root_ = mkdtemp(pattern);
    WriteSpec("num_workers: 2 work { pipe_io {} } cgroup: 'cg0' duration { nanos: 200000000 }");
  }
  ~MusterRunTest() override { std::filesystem::remove_all(root_); }

  void WriteSpec(const std::string& text) { std::ofstream(SpecPath()) << text; }
  std::string SpecPath() const { return root_ + "/spec.txtpb"; }

  // `muster` with these arguments, to its end.
  ProgramResult Muster(std::vector<std::string> args, std::vector<std::string> environment = {}) {
    return RunProgram("tools/muster", std::move(args), std::move(environment));
  }

  // `muster run` of the spec on the fake daemon.
  ProgramResult RunOnFake(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"run", SpecPath(), "--target", fake_.address()};
    args.insert(args.end(), more.begin(), more.end());
    return Muster(args);
  }

  // A shell's command, in the place of `muster`.
  ProgramResult Shell(const std::string& command) { return RunProgram("/bin/sh", {"-c", command}); }
  // `muster` with this for its standard output.
  static SpawnedProcess StartInto(const UniqueFd& output, std::vector<std::string> args, bool errors_too = false) {
    SpawnOptions options;
    options.program = "tools/muster";
    options.arguments = std::move(args);
    options.arguments.insert(options.arguments.begin(), options.program);
    options.descriptors = {{STDOUT_FILENO, output.get()}};
    if (errors_too) options.descriptors.push_back({STDERR_FILENO, output.get()});
    absl::StatusOr<SpawnedProcess> process = SpawnProcess(options);
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }
  static int ExitCodeOf(const SpawnedProcess& process) {
    absl::StatusOr<ProcessEnd> end = process.pidfd.Reap(Deadline::After(absl::Seconds(60)));
    if (end.ok()) return end->exit_code;
    static_cast<void>(process.pidfd.Signal(SIGKILL));
    static_cast<void>(process.pidfd.Reap(Deadline::After(absl::Seconds(60))));
    return -1;
  }
  std::string RunCommandOnFake() const {
    return absl::StrCat("tools/muster run ", SpecPath(), " --target ", fake_.address());
  }

  std::string root_;
  FakeMuster fake_;
};

constexpr char kStats[] =
    "--- stats ---\n"
    "2 workers, 0 cpus, 0 migrations, worst_spread=0.0%, worst_gap=0ms cpus_union=0\n"
    "p1: workers=2 cpus=0 spread=0.0% gap=0ms migrations=0 iter=200\n";

TEST_F(MusterRunTest, WholeLifeEndsWithTheStatsBlock) {
  WriteSpec("num_workers: 2 duration { nanos: 200000000 }");
  const ProgramResult result = RunOnFake();
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_EQ(result.standard_output, kStats);
  std::vector<std::string> mutating;
  for (const std::string& call : fake_.Calls()) {
    if (call != "GetServerInfo" && !absl::StartsWith(call, "Watch")) mutating.push_back(call);
  }
  EXPECT_EQ(mutating, (std::vector<std::string>{"OpenLease", "Spawn", "Start p1", "StopAndCollect p1 from 0",
                                                "ConfirmReports p1", "EndLease l1"}));
}

TEST_F(MusterRunTest, EachUpdateIsALinePerGroupBeforeTheStats) {
  v1::WatchUpdate update;
  update.set_taken_at_ns(1'000'000'000);
  update.add_iterations_delta(70);
  update.add_iterations_delta(30);
  update.add_states(v1::RUNNING);
  update.add_states(v1::RUNNING);
  update.set_final(true);
  fake_.SetWatchUpdates({update});
  const ProgramResult result = RunOnFake({"--duration", "1h"});
  EXPECT_TRUE(absl::StartsWith(result.standard_output,
                               "   1.0s  cg0 PipeIo: 100 iterations/s, 2/2 workers running\n--- stats ---\n"))
      << result.standard_output << result.standard_error;
}

TEST_F(MusterRunTest, RunEndsWithItsLastWorkerNotWithItsTime) {
  v1::WatchUpdate update;
  update.set_final(true);
  fake_.SetWatchUpdates({update});
  const Deadline deadline = Deadline::After(absl::Seconds(60));
  EXPECT_EQ(RunOnFake({"--duration", "1h"}).exit_code, 0);
  EXPECT_FALSE(deadline.Expired());
}

TEST_F(MusterRunTest, JsonIsOneObjectAndNothingElseOnTheStandardOutput) {
  const ProgramResult result = RunOnFake({"--json"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  const google::protobuf::Struct object = ParseJsonObject(result.standard_output);
  EXPECT_EQ(JsonField(object, "reports").list_value().values_size(), 2);
  EXPECT_TRUE(JsonField(object, "resolvedSpec").has_struct_value());
  EXPECT_TRUE(JsonField(object, "summary").has_struct_value());
  EXPECT_TRUE(absl::StrContains(result.standard_error, "--- stats ---")) << result.standard_error;
}

TEST_F(MusterRunTest, OutHoldsAFilePerReport) {
  EXPECT_EQ(RunOnFake({"--out", root_ + "/out"}).exit_code, 0);
  EXPECT_EQ(access((root_ + "/out/worker-00001.json").c_str(), F_OK), 0);
  EXPECT_EQ(RunOnFake({"--out", root_ + "/out"}).exit_code, 74) << "results of two runs must not mix";
}

TEST_F(MusterRunTest, WorkerThatDiedIsExitCodeOneAndNamed) {
  v1::WorkerReport good;
  good.set_iterations(1);
  v1::WorkerReport dead;
  dead.set_worker_index(1);
  dead.mutable_exit_info()->mutable_signaled()->set_signal(9);
  fake_.SetReports({good, dead});
  const ProgramResult result = RunOnFake();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.standard_output, "starved: worker 1 (cg0): killed by signal 9\n--- stats ---"))
      << result.standard_output;
}

TEST_F(MusterRunTest, WorkThatNobodyMeasuredIsExitCodeTwo) {
  v1::WorkerReport custom;
  custom.mutable_kernel_accounting()->set_cpu_time_ns(5);
  WriteSpec("duration {}");
  fake_.SetReports({custom});
  EXPECT_EQ(RunOnFake().exit_code, 2);
}

TEST_F(MusterRunTest, MistakeInTheSpecIsShownInItsPlace) {
  WriteSpec("\nnum_workers: many\n");
  const ProgramResult result = RunOnFake();
  EXPECT_EQ(result.exit_code, 65);
  EXPECT_EQ(result.standard_error, absl::StrCat("muster: ", SpecPath(), ":2:14: Expected integer, got: many\n"));
  EXPECT_TRUE(fake_.Calls().empty());
}

TEST_F(MusterRunTest, SpecFromThePipeThatIsTheStandardInput) {
  const ProgramResult result =
      Shell(absl::StrCat("echo 'num_workers: 3 duration {}' | tools/muster run - --target ", fake_.address()));
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_EQ(fake_.last_spawn().spec().num_workers(), 3u);
}

TEST_F(MusterRunTest, RefusedSpecIsExitCode65WithTheDaemonsWords) {
  fake_.FailNext("Spawn", grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "num_workers: 3 is not divisible by 2"));
  const ProgramResult result = RunOnFake();
  EXPECT_EQ(result.exit_code, 65);
  EXPECT_EQ(result.standard_error, "muster: spawn: num_workers: 3 is not divisible by 2\n");
}

TEST_F(MusterRunTest, UsageErrorsAreExitCode64) {
  EXPECT_EQ(Muster({}).exit_code, 64);
  EXPECT_EQ(Muster({"fly"}).exit_code, 64);
  EXPECT_EQ(Muster({"run"}).exit_code, 64);
  EXPECT_EQ(Muster({"run", SpecPath(), "--fast"}).exit_code, 64);
  EXPECT_EQ(RunOnFake({"--duration", "soon"}).exit_code, 64);
  EXPECT_EQ(Muster({"run", SpecPath(), "--target", "smoke signals"}).exit_code, 64);
  EXPECT_EQ(Muster({"run", SpecPath(), "--musterd", "tests/support/fake_musterd", "--muster-worker",
                    "tests/support/fake_musterd", "--control-priority", "200"},
                   {"MUSTER_TARGET="})
                .exit_code,
            64);
  EXPECT_EQ(Muster({"watch", "p1", "--period", "soon", "--target", "unix:///nowhere/s"}).exit_code, 64);
  EXPECT_EQ(Muster({"ps"}, {"MUSTER_TARGET="}).exit_code, 64);
}

TEST_F(MusterRunTest, NobodyListeningIs69AndAMissingSpec66) {
  EXPECT_EQ(Muster({"run", SpecPath(), "--target", "unix:///nowhere/s"}).exit_code, 69);
  EXPECT_EQ(Muster({"run", root_ + "/none.txtpb"}).exit_code, 66);
}

TEST_F(MusterRunTest, HelpListsTheExitCodes) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"--help"}, {"run", "--help"}}) {
    const ProgramResult result = Muster(args);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_TRUE(absl::StrContains(result.standard_output, "65  the spec does not parse")) << result.standard_output;
  }
}

TEST_F(MusterRunTest, PrivateDaemonServesTheRunAndIsGoneAfterwards) {
  const ProgramResult result = Muster(
      {"run", SpecPath(), "--musterd", "tests/support/fake_musterd", "--muster-worker", "tests/support/fake_musterd",
       "--allow-exec", "--allow-block-devices", "--io-dir", "/data", "--control-priority", "0"},
      {"MUSTER_TARGET=", "MUSTERD_FLAGS_FILE=" + root_ + "/flags", "TMPDIR=" + root_});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  const std::string flags = *ReadFile(root_ + "/flags");
  EXPECT_TRUE(absl::EndsWith(flags,
                             "--die-with-parent\n--allow-exec\n--allow-block-devices\n--io-dir\n/data\n"
                             "--control-priority\n0\n"))
      << flags;
  for (const auto& entry : std::filesystem::directory_iterator(root_)) {
    EXPECT_FALSE(entry.is_socket()) << entry.path() << " was left";
  }
}

TEST_F(MusterRunTest, PrivateDaemonThatCannotStartIs69) {
  const ProgramResult result = Muster(
      {"run", SpecPath(), "--musterd", "tests/support/fake_musterd", "--muster-worker", "tests/support/fake_musterd"},
      {"MUSTER_TARGET=", "MUSTERD_BEHAVIOUR=exit"});
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_TRUE(absl::StartsWith(result.standard_error, "musterd: exits on purpose\n")) << "where is its log?";
  EXPECT_EQ(Muster({"run", SpecPath(), "--musterd", "/none"}, {"MUSTER_TARGET="}).exit_code, 69);
}

TEST_F(MusterRunTest, DaemonThatDiesInTheMiddleIs69) {
  EXPECT_EQ(Muster({"run", SpecPath(), "--duration", "1h", "--musterd", "tests/support/fake_musterd", "--muster-worker",
                    "tests/support/fake_musterd"},
                   {"MUSTER_TARGET=", "MUSTERD_BEHAVIOUR=dies_early", "TMPDIR=" + root_})
                .exit_code,
            69);
}

TEST_F(MusterRunTest, LogThatCannotBeOpenedIs74) {
  EXPECT_EQ(Muster({"run", SpecPath(), "--musterd", "tests/support/fake_musterd", "--muster-worker",
                    "tests/support/fake_musterd", "--daemon-log", "/none/log"},
                   {"MUSTER_TARGET="})
                .exit_code,
            74);
}

TEST_F(MusterRunTest, WhatCannotBePrintedIs74) {
  EXPECT_EQ(Shell(absl::StrCat("tools/muster ps --json --target ", fake_.address(), " >/dev/full")).exit_code, 74);
  EXPECT_EQ(Shell("tools/muster --help >/dev/full").exit_code, 74);
}

TEST_F(MusterRunTest, WatchEndsWithItsReader) {
  v1::WatchUpdate update;
  update.add_iterations_delta(1);
  fake_.SetWatchUpdates({update});
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd writer(ends[1]);
  close(ends[0]);
  EXPECT_EQ(ExitCodeOf(StartInto(writer, {"watch", "p1", "--target", fake_.address()})), 74);
}

// A file or a socket would take the place of the stream, and get what is printed.
TEST_F(MusterRunTest, ClosedStandardStreamsAreNoFilesOfItsOwn) {
  const ProgramResult result = Shell(RunCommandOnFake() + " --json 2>&-");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(JsonField(ParseJsonObject(result.standard_output), "reports").list_value().values_size(), 2);
  EXPECT_EQ(Shell(RunCommandOnFake() + " >&-").exit_code, 74);
}

TEST_F(MusterRunTest, ViewThatNobodyReadsHoldsNothingUp) {
  v1::WatchUpdate update;
  update.set_taken_at_ns(1'000'000'000);
  update.add_states(v1::RUNNING);
  update.add_states(v1::RUNNING);
  fake_.SetWatchUpdates({update});
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd reader(ends[0]), writer(ends[1]);
  while (write(writer.get(), "x", 1) == 1) {
  }
  ASSERT_EQ(fcntl(writer.get(), F_SETFL, 0), 0) << "as the program expects it";
  const SpawnedProcess process = StartInto(writer, {"run", SpecPath(), "--target", fake_.address()});
  EXPECT_TRUE(fake_.WaitForCall("StopAndCollect p1 from 0")) << "the workload runs on";
  // The results wait for their reader.
  std::string text(1 << 17, 0);
  const Deadline deadline = Deadline::After(absl::Seconds(60));
  std::string got;
  while (!absl::StrContains(got, "--- stats ---") && !deadline.Expired()) {
    const ssize_t bytes = read(reader.get(), text.data(), text.size());
    if (bytes > 0) got.append(text.data(), bytes);
  }
  EXPECT_EQ(ExitCodeOf(process), 0);
}

TEST_F(MusterRunTest, InterruptBeforeTheWorkloadRunsEndsItAtOnce) {
  fake_.IgnoreConnections(1'000);
  const StartedProgram program =
      StartProgram("tools/muster", {"run", SpecPath(), "--target", fake_.address(), "--duration", "1h"});
  // Until it listens to signals.
  const std::string status = absl::StrCat("/proc/", program.process.pid, "/fdinfo/");
  const auto has_taken = [&] {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(status, error)) {
      const auto info = ReadFile(entry.path().string());
      if (info.ok() && absl::StrContains(*info, "sigmask:")) return true;
    }
    return false;
  };
  const Deadline soon = Deadline::After(absl::Seconds(60));
  while (!has_taken()) ASSERT_FALSE(soon.Expired());
  ASSERT_TRUE(program.process.pidfd.Signal(SIGINT).ok());
  EXPECT_EQ(ExitCodeOf(program.process), 130);
  EXPECT_TRUE(absl::StrContains(ReadOutput(program.standard_error), "interrupted before the workload ran"));
  EXPECT_EQ(fake_.Count("Spawn"), 0);
}

TEST_F(MusterRunTest, InterruptStopsAndStillCollects) {
  StartedProgram program =
      StartProgram("tools/muster", {"run", SpecPath(), "--target", fake_.address(), "--duration", "1h"});
  ASSERT_TRUE(fake_.WaitForCall("Watch p1"));
  kill(program.process.pid, SIGINT);
  const ProgramResult result = FinishProgram(std::move(program));
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_output, "--- stats ---"));
  EXPECT_TRUE(absl::StrContains(result.standard_error, "once more to drop")) << result.standard_error;
}

// Results that nobody reads, once their printing has begun.
class MusterRunUnreadTest : public MusterRunTest {
 protected:
  void SetUp() override {
    if (kUnderTsan) {
      GTEST_SKIP() << "its _exit flushes stdout, and whoever is in the middle of printing holds the lock of that";
    }
    std::vector<v1::WorkerReport> reports(2);
    reports[1].set_worker_index(1);
    // More than a pipe takes.
    for (uint64_t i = 0; i < 20'000; ++i) reports[0].add_wake_latencies_ns(1'000'000 + i);
    fake_.SetReports(reports);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader_ = UniqueFd(ends[0]);
    writer_ = UniqueFd(ends[1]);
  }
  SpawnedProcess Start(const std::string& duration, bool errors_too) {
    return StartInto(writer_, {"run", SpecPath(), "--target", fake_.address(), "--json", "--duration", duration},
                     errors_too);
  }
  // What comes before the results on the standard error is read, and of the results no more than their beginning.
  void AwaitPrinting() const {
    const Deadline deadline = Deadline::After(absl::Seconds(60));
    std::string got;
    while (!absl::StrContains(got, "{\"resolvedSpec\"")) {
      pollfd entry = {reader_.get(), POLLIN, 0};
      ASSERT_EQ(poll(&entry, 1, deadline.PollTimeoutMs()), 1) << got;
      char byte = 0;
      ASSERT_EQ(read(reader_.get(), &byte, 1), 1);
      got += byte;
    }
  }

  UniqueFd reader_, writer_;
};

TEST_F(MusterRunUnreadTest, InterruptEndsTheRun) {
  const SpawnedProcess process = Start("1ms", true);
  AwaitPrinting();
  ASSERT_TRUE(process.pidfd.Signal(SIGINT).ok());
  EXPECT_EQ(ExitCodeOf(process), 130);
  EXPECT_EQ(fake_.Count("ConfirmReports p1"), 1);
}

TEST_F(MusterRunUnreadTest, InterruptEndsARunThatOneHasStopped) {
  const SpawnedProcess process = Start("1h", false);
  ASSERT_TRUE(fake_.WaitForCall("Watch p1"));
  ASSERT_TRUE(process.pidfd.Signal(SIGINT).ok());
  AwaitPrinting();
  ASSERT_TRUE(process.pidfd.Signal(SIGTERM).ok());
  EXPECT_EQ(ExitCodeOf(process), 130);
}

TEST_F(MusterRunTest, SecondInterruptDrops) {
  fake_.HoldCollection();
  StartedProgram program =
      StartProgram("tools/muster", {"run", SpecPath(), "--target", fake_.address(), "--duration", "1h"});
  ASSERT_TRUE(fake_.WaitForCall("Watch p1"));
  kill(program.process.pid, SIGTERM);
  ASSERT_TRUE(fake_.WaitForCall("StopAndCollect p1 from 0"));
  kill(program.process.pid, SIGINT);
  const ProgramResult result = FinishProgram(std::move(program));
  EXPECT_EQ(result.exit_code, 2) << result.standard_error;
  EXPECT_GE(fake_.Count("Drop p1"), 1);
}

}  // namespace
}  // namespace muster
