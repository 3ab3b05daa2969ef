// `muster vm` as a user runs it: what it says, and what is left of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "tests/support/program_run.h"
#include "tools/cli/exit_code.h"
#include "tools/vm/exit_codes.h"

namespace muster {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;

constexpr absl::Duration kPatience = absl::Minutes(5);

class CommandLineTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(tmp_.data()), nullptr);
    root_ = tmp_ + "/muster-vm-0";
    std::ofstream(tmp_ + "/short.txtpb") << "num_workers: 2";
    std::ofstream(tmp_ + "/long.txtpb") << "duration { seconds: 3600 }";
  }
  void TearDown() override { fs::remove_all(tmp_); }

  // Everything of a guest lies in a folder of the test's own.
  StartedProgram Start(std::vector<std::string> args) {
    // The subcommand; of a flag that is given twice the last one counts.
    const std::string subcommand = args.front();
    args.erase(args.begin());
    args.insert(args.begin(), {"vm", subcommand, "--init=tools/vm/init/muster-guest-init",
                               "--musterd=daemon/musterd-static", "--muster-worker=worker/muster-worker"});
    return StartProgram("tools/muster", std::move(args), {"TMPDIR=" + tmp_});
  }
  StartedProgram StartRun(std::vector<std::string> args) {
    args.insert(args.begin(), {"run", "--accel=tcg", "--boot-timeout=300"});
    return Start(std::move(args));
  }

  // Its exit code; -1 when a signal ended it.
  int Finish(const StartedProgram& program) {
    const absl::StatusOr<ProcessEnd> end = program.process.pidfd.Reap(Deadline::After(kPatience));
    EXPECT_TRUE(end.ok()) << end.status();
    return end.ok() ? end->exit_code : -1;
  }

  // Until it has said so on its standard error stream, or on another.
  void WaitFor(const StartedProgram& program, const std::string& words) {
    WaitFor(program, program.standard_error, words);
  }
  void WaitFor(const StartedProgram& program, const UniqueFd& stream, const std::string& words) {
    WaitUntil(program, [&] { return absl::StrContains(ReadOutput(stream), words); });
  }

  // Until it, or what it started, has made this file.
  void WaitForFile(const StartedProgram& program, const std::string& path) {
    WaitUntil(program, [&] { return fs::exists(path); });
  }

  // Fails when the program ends before that.
  void WaitUntil(const StartedProgram& program, const std::function<bool()>& condition) {
    const Deadline deadline = Deadline::After(kPatience);
    while (!condition()) {
      ASSERT_FALSE(deadline.Expired()) << ReadOutput(program.standard_error);
      ASSERT_FALSE(program.process.pidfd.WaitEnd(Deadline::After(absl::Milliseconds(20))).ok())
          << ReadOutput(program.standard_error);
    }
  }

  // Processes with the test's folder on their command line and this program's name.
  std::vector<pid_t> Processes(const std::string& name = "") const {
    std::vector<pid_t> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
      pid_t pid = 0;
      if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
      const auto line = ReadFile((entry.path() / "cmdline").string());
      if (line.ok() && absl::StrContains(*line, root_) && absl::StrContains(*line, name)) found.push_back(pid);
    }
    return found;
  }
  std::vector<std::string> Folders() const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root_, error)) {
      if (entry.is_directory()) names.push_back(entry.path().filename());
    }
    return names;
  }
  void ExpectNoProcess() {
    const Deadline deadline = Deadline::After(kPatience);
    while (!Processes().empty() && !deadline.Expired()) {
    }
    EXPECT_THAT(Processes(), IsEmpty());
  }
  void ExpectNothingIsLeft() {
    ExpectNoProcess();
    EXPECT_THAT(Folders(), IsEmpty());
  }

  std::string tmp_ = "/tmp/mvXXXXXX";
  std::string root_;
};

TEST_F(CommandLineTest, TheExampleOfTwoNodesRunsInTwoCgroupsOnCpusOfTheirOwn) {
  const StartedProgram program = StartRun({"--cpus=4", "--numa=2", "--memory=1G", "examples/guest/two_nodes.txtpb"});
  EXPECT_EQ(Finish(program), 0) << ReadOutput(program.standard_error);
  EXPECT_THAT(ReadOutput(program.standard_output),
              AllOf(HasSubstr("\nnorth: workers=5 cpus=2 "), HasSubstr("\nsouth: workers=5 cpus=2 "),
                    HasSubstr("cpus_union=4\n")));
}

TEST_F(CommandLineTest, ARunTellsItsStagesAndLeavesNothing) {
  // Read before the boot, and once only.
  const std::string pipe = tmp_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const StartedProgram program = StartRun({pipe});
  std::ofstream(pipe) << "num_workers: 2";
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_EQ(code, 0) << said;
  EXPECT_THAT(said, AllOf(HasSubstr("transport: "), HasSubstr("serving after "), HasSubstr("QEMU and firmware "),
                          HasSubstr("kernel "), HasSubstr("init "), HasSubstr("musterd "), HasSubstr("; CPU time "),
                          HasSubstr("powered off in ")));
  EXPECT_THAT(ReadOutput(program.standard_output), HasSubstr("--- stats ---\n2 workers"));
  ExpectNothingIsLeft();
}

// By the CPU time that QEMU used until then: on a machine that is busy with other things the boot takes longer, and not
// more.
TEST_F(CommandLineTest, TheDaemonServesBeforeQemuHasUsedTenSeconds) {
  const StartedProgram program = StartRun({});
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  ASSERT_EQ(code, 0) << said;
  const size_t at = said.find("; CPU time ");
  ASSERT_NE(at, std::string::npos) << said;
  EXPECT_THAT(atof(said.c_str() + at + strlen("; CPU time ")), AllOf(Gt(0.5), Lt(10))) << said;
}

TEST_F(CommandLineTest, TheNextRunRemovesWhatAKilledOneLeft) {
  const StartedProgram program = StartRun({"--transport=vhost-device-vsock", tmp_ + "/long.txtpb"});
  WaitFor(program, "serving after");
  EXPECT_EQ(Processes().size(), 2u) << "QEMU and its vsock device";
  ASSERT_TRUE(program.process.pidfd.Signal(SIGKILL).ok());
  EXPECT_EQ(Finish(program), -1);
  ExpectNoProcess();
  EXPECT_EQ(Folders().size(), 1u);
  EXPECT_EQ(Finish(StartRun({"--qemu=/bin/false", tmp_ + "/short.txtpb"})), vm::kExitNoGuest);
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, AnInterruptDuringTheBootLeavesNothing) {
  const StartedProgram program = StartRun({tmp_ + "/long.txtpb"});
  WaitFor(program, "transport: ");
  EXPECT_FALSE(Processes("qemu").empty());
  ASSERT_TRUE(program.process.pidfd.Signal(SIGINT).ok());
  EXPECT_EQ(Finish(program), vm::kExitInterrupted);
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, AnInterruptOfTheWorkloadCollectsItsReportsAndLeavesNothing) {
  const StartedProgram program = StartRun({"--out=" + tmp_ + "/reports", tmp_ + "/long.txtpb"});
  WaitForFile(program, tmp_ + "/reports/resolved_spec.json");
  ASSERT_TRUE(program.process.pidfd.Signal(SIGINT).ok());
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_THAT(said, AllOf(HasSubstr("stopping and collecting"), HasSubstr("powered off in ")));
  EXPECT_THAT(code, AnyOf(kExitGood, kExitStarved)) << said;
  EXPECT_TRUE(fs::exists(tmp_ + "/reports/worker-00000.json"));
  EXPECT_FALSE(fs::exists(tmp_ + "/reports/INCOMPLETE"));
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, ABootThatHangsIsSaidAndLeavesNothing) {
  // -S: its CPUs wait for a monitor to start them.
  const std::string qemu = tmp_ + "/qemu-paused";
  std::ofstream(qemu) << "#!/bin/sh\nexec qemu-system-x86_64 -S \"$@\"\n";
  fs::permissions(qemu, fs::perms::owner_all);
  const StartedProgram program = StartRun({"--boot-timeout=1", "--qemu=" + qemu, tmp_ + "/short.txtpb"});
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_EQ(code, vm::kExitBootHung) << said;
  EXPECT_THAT(said, HasSubstr("the guest hung at its boot"));
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, ADaemonThatNeverServesIsSaidAndLeavesNothing) {
  const StartedProgram program = StartRun({"--daemon-arg=--no-such-flag", tmp_ + "/short.txtpb"});
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_EQ(code, vm::kExitNeverServed) << said;
  EXPECT_THAT(said, AllOf(HasSubstr("musterd in the guest ended with exit="), HasSubstr("no_such_flag")));
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, AWorkloadThatCannotRunIsSaidAndLeavesNothing) {
  std::ofstream(tmp_ + "/wrong.txtpb") << "affinity { exact { cpus: '77' } }";
  const StartedProgram program = StartRun({tmp_ + "/wrong.txtpb"});
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_EQ(code, kExitBadSpec) << said;
  EXPECT_THAT(said, AllOf(HasSubstr("77"), HasSubstr("powered off in ")));
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, ABadVerdictIsSaidAndLeavesNothing) {
  // Its only worker needs more memory than it may have.
  std::ofstream(tmp_ + "/dying.txtpb") << R"(
      cgroups { name: "tight" settings { memory_max_bytes: 50331648 } } cgroup: "tight"
      work { page_fault_churn { region_kib: 131072 touches_per_cycle: 32768 } } duration { seconds: 3600 })";
  const StartedProgram program = StartRun({tmp_ + "/dying.txtpb"});
  WaitFor(program, program.standard_output, " 0/1 workers running");
  ASSERT_TRUE(program.process.pidfd.Signal(SIGINT).ok());
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_output);
  EXPECT_EQ(code, kExitStarved) << said << ReadOutput(program.standard_error);
  EXPECT_THAT(said, HasSubstr("starved: worker 0"));
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, AGuestThatIsKilledUnderARunIsSaidAndLeavesNothing) {
  const StartedProgram program = StartRun({"--out=" + tmp_ + "/reports", tmp_ + "/long.txtpb"});
  WaitForFile(program, tmp_ + "/reports/resolved_spec.json");
  for (const pid_t pid : Processes("qemu")) EXPECT_EQ(kill(pid, SIGKILL), 0);
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_EQ(code, vm::kExitGuestLost) << said;
  EXPECT_THAT(said, HasSubstr("QEMU ended"));
  EXPECT_TRUE(fs::exists(tmp_ + "/reports/INCOMPLETE"));
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, APanicIsSaidWithTheConsolesLastLinesAndLeavesNothing) {
  const StartedProgram program = StartRun({"--append=rdinit=/none", tmp_ + "/short.txtpb"});
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_EQ(code, vm::kExitPanicked) << said;
  EXPECT_THAT(said, AllOf(HasSubstr("kernel panicked: Kernel panic"), HasSubstr("the console's last lines:")));
  ExpectNothingIsLeft();
}

TEST_F(CommandLineTest, TheImageIsSmallerThanTwentyFiveMegabytes) {
  const std::string image = tmp_ + "/image.cpio.gz";
  const StartedProgram program = Start({"image", "--compress", "--out=" + image});
  EXPECT_EQ(Finish(program), 0) << ReadOutput(program.standard_error);
  ASSERT_TRUE(fs::exists(image));
  EXPECT_LT(fs::file_size(image), 25'000'000u);
}

TEST_F(CommandLineTest, MusterdAsInitBehindAForwardedPortIsRefusedBeforeTheBoot) {
  const StartedProgram program = StartRun({"--transport=tcp", tmp_ + "/short.txtpb", "--init=musterd"});
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_EQ(code, vm::kExitNoGuest) << said;
  EXPECT_THAT(said, HasSubstr("--init=musterd: such a guest is reached over vsock only"));
}

TEST_F(CommandLineTest, AKernelThatCannotBeFetchedIsSaid) {
  const StartedProgram program = StartRun({"--cache=" + tmp_ + "/empty", "--mirror=file:///nowhere"});
  const int code = Finish(program);
  const std::string said = ReadOutput(program.standard_error);
  EXPECT_EQ(code, vm::kExitNoGuest) << said;
  EXPECT_THAT(said, HasSubstr("fetch kernel linux-image-cloud-amd64 of bookworm: "));
}

}  // namespace
}  // namespace muster
