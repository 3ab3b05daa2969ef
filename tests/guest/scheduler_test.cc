// `muster vm run --scheduler`: workloads under a sched_ext scheduler, and schedulers that the kernel does not want.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/deadline.h"
#include "base/file_io.h"
#include "tests/support/program_run.h"
#include "tools/vm/exit_codes.h"
#include "tools/vm/kernel/kernel_store.h"
#include "tools/vm/scheduler/loader.h"
#include "tools/vm/support/flags.h"

namespace muster {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Duration kPatience = absl::Minutes(5);

// Empty: a kernel with sched_ext, and what loads schedulers into it, are in the cache now. Else the reason.
std::string WhyThereIsNoSchedExt() {
  const absl::StatusOr<vm::Flags> flags = vm::Flags::Parse({"--suite=sid"}, vm::KernelFlags());
  const absl::StatusOr<vm::KernelOptions> options =
      flags.ok() ? vm::KernelOptionsFrom(*flags) : absl::StatusOr<vm::KernelOptions>(flags.status());
  if (!options.ok()) return std::string(options.status().message());
  const absl::Status kernel = vm::FetchKernel(*options).status();
  if (!kernel.ok()) return std::string(kernel.message());
  return std::string(vm::FetchBpftool(*options).status().message());
}

class SchedulerTest : public testing::Test {
 protected:
  struct Ending {
    int exit_code = -1;
    std::string output;
    std::string words;
  };

  void SetUp() override {
    static const std::string& missing = *new std::string(WhyThereIsNoSchedExt());
    if (!missing.empty()) GTEST_SKIP() << "no kernel with sched_ext can be had here: " << missing;
    ASSERT_NE(mkdtemp(tmp_.data()), nullptr);
  }
  void TearDown() override { fs::remove_all(tmp_); }

  // The path of the compiled scheduler.
  std::string Compile(const std::string& source) {
    const ProgramResult result = RunProgram("examples/scx/build", {tmp_, source});
    EXPECT_EQ(result.exit_code, 0) << result.standard_error;
    return absl::StrCat(tmp_, "/", fs::path(source).stem().string(), ".o");
  }

  Ending Run(const std::string& scheduler, const std::string& spec, const std::vector<std::string>& more = {}) {
    std::ofstream(tmp_ + "/spec.txtpb") << spec;
    std::vector<std::string> args = {"vm",
                                     "run",
                                     "--accel=tcg",
                                     "--boot-timeout=300",
                                     "--init=tools/vm/init/muster-guest-init",
                                     "--musterd=daemon/musterd-static",
                                     "--muster-worker=worker/muster-worker",
                                     absl::StrCat("--scheduler=", scheduler),
                                     tmp_ + "/spec.txtpb"};
    args.insert(args.end(), more.begin(), more.end());
    const StartedProgram program = StartProgram("tools/muster", std::move(args), {"TMPDIR=" + tmp_});
    const absl::StatusOr<ProcessEnd> end = program.process.pidfd.Reap(Deadline::After(kPatience));
    EXPECT_TRUE(end.ok()) << end.status();
    return {end.ok() ? end->exit_code : -1, ReadOutput(program.standard_output), ReadOutput(program.standard_error)};
  }

  std::string ReadAll(const std::string& directory) {
    std::string all;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
      all += entry.path().filename().string() + ":\n" + ReadFile(entry.path().string()).value_or("");
    }
    return all;
  }

  std::string tmp_ = "/tmp/mvXXXXXX";
};

TEST_F(SchedulerTest, OurExampleRunsASpecAndTheResultSaysThatItWasActiveFromStartToEnd) {
  const Ending ending = Run(Compile("examples/scx/fifo.bpf.c"), R"(
      num_workers: 2 work { spin_wait {} }
      composed { num_workers: 1 work { yield_heavy {} } sched_policy { ext {} } })",
                            {"--out=" + tmp_ + "/results"});
  EXPECT_EQ(ending.exit_code, 0) << ending.words;
  EXPECT_THAT(ending.output, HasSubstr("scheduler=muster_fifo active from start to end, all tasks, enable_seq=1 "
                                       "nr_rejected=0\n"));
  const std::string results = ReadAll(tmp_ + "/results");
  EXPECT_THAT(results, HasSubstr(R"(scheduler.json:
{"ops": "muster_fifo", "enableSeq": 1, "nrRejected": 0, "switchAll": true})"));
  EXPECT_THAT(results, HasSubstr("SCHED_EXT nice 0")) << "the policy of the third worker";
}

TEST_F(SchedulerTest, TheJsonObjectHasTheSchedulerToo) {
  const Ending ending = Run(Compile("examples/scx/fifo.bpf.c"), "num_workers: 1", {"--json"});
  EXPECT_EQ(ending.exit_code, 0) << ending.words;
  EXPECT_THAT(ending.output,
              EndsWith(R"(,"scheduler":{"ops": "muster_fifo", "enableSeq": 1, "nrRejected": 0, "switchAll": true}})"
                       "\n"));
  EXPECT_THAT(ending.output, StartsWith(R"({"resolvedSpec":{)"));
}

// Its scheduler lets the last worker wait until the kernel ejects it. Without its end it would take an hour.
constexpr char kStalls[] = R"(
    num_workers: 2 work { spin_wait {} }
    composed { num_workers: 1 work { spin_wait {} } comm: "stall-me" }
    duration { seconds: 3600 })";

TEST_F(SchedulerTest, TheJsonObjectHasNoSchedulerWhenItWasNotActiveToTheEnd) {
  const Ending ending = Run(Compile("tests/guest/scx/stalling.bpf.c"), kStalls, {"--json"});
  EXPECT_EQ(ending.exit_code, vm::kExitSchedulerEjected) << ending.words;
  EXPECT_THAT(ending.output, AllOf(StartsWith(R"({"resolvedSpec":{)"), EndsWith(",\"scheduler\":null}\n")));
}

TEST_F(SchedulerTest, ASchedulerThatTheKernelEjectsEndsAndFailsTheRunWithTheKernelsReason) {
  const Ending ending = Run(Compile("tests/guest/scx/stalling.bpf.c"), kStalls);
  EXPECT_EQ(ending.exit_code, vm::kExitSchedulerEjected) << ending.words;
  EXPECT_THAT(ending.words,
              AllOf(HasSubstr("the kernel ejected the scheduler muster_stalling"), HasSubstr("(runnable task stall)"),
                    HasSubstr("stall-me["), HasSubstr("failed to run for")));
  EXPECT_THAT(ending.output, AllOf(HasSubstr("--- stats ---"), Not(HasSubstr("scheduler="))));
}

TEST_F(SchedulerTest, ASchedulerThatTheVerifierRefusesFailsTheRunWithItsWords) {
  const Ending ending = Run(Compile("tests/guest/scx/refused.bpf.c"), "num_workers: 1");
  EXPECT_EQ(ending.exit_code, vm::kExitNoScheduler) << ending.words;
  EXPECT_THAT(ending.words, AllOf(HasSubstr("load the scheduler in the guest"),
                                  HasSubstr("invalid mem access 'scalar'"), HasSubstr("refused.bpf.c:7")));
}

TEST_F(SchedulerTest, AKernelWithoutSchedExtIsSaid) {
  const Ending ending = Run(Compile("examples/scx/fifo.bpf.c"), "num_workers: 1", {"--suite=bookworm"});
  EXPECT_EQ(ending.exit_code, vm::kExitNoScheduler) << ending.words;
  EXPECT_THAT(ending.words, HasSubstr("the guest's kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT)"));
}

TEST_F(SchedulerTest, WhatIsNoSchedulerIsSaidBeforeAGuestBoots) {
  for (const std::string& object : {std::string("examples/scx/fifo.bpf.c"), std::string("worker/muster-worker")}) {
    const Ending ending = Run(object, "num_workers: 1", {"--qemu=/bin/false"});
    EXPECT_EQ(ending.exit_code, vm::kExitNoScheduler) << ending.words;
    EXPECT_THAT(ending.words, AllOf(HasSubstr("load scheduler " + object + ": it is "), Not(HasSubstr("kernel: "))));
  }
}

}  // namespace
}  // namespace muster
