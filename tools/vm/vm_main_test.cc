// What `muster vm` says of itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/program_run.h"
#include "tools/cli/exit_code.h"
#include "tools/vm/exit_codes.h"

namespace muster::vm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ProgramResult MusterVm(std::vector<std::string> args) {
  args.insert(args.begin(), "vm");
  return RunProgram("tools/muster", std::move(args));
}

TEST(VmMainTest, HelpNamesEverySubcommandAndIsNoError) {
  for (const char* ask : {"--help", "-h", "help"}) {
    const ProgramResult result = MusterVm({ask});
    EXPECT_EQ(result.exit_code, 0) << ask;
    EXPECT_EQ(result.standard_error, "");
    for (const char* name :
         {"\n  kernel ", "\n  image ", "\n  vsock-device ", "\n  run [SPEC] ", "\n  ps ", "\n  stop "}) {
      EXPECT_THAT(result.standard_output, HasSubstr(name));
    }
  }
}

TEST(VmMainTest, EverySubcommandHasAHelp) {
  for (const char* name : {"kernel", "image", "vsock-device", "run", "ps", "stop"}) {
    const ProgramResult result = MusterVm({name, "--help"});
    EXPECT_EQ(result.exit_code, 0) << name;
    EXPECT_EQ(result.standard_error, "");
    EXPECT_THAT(result.standard_output, AllOf(HasSubstr(absl::StrCat("usage: muster vm ", name)), HasSubstr("--help")));
  }
  EXPECT_THAT(MusterVm({"run", "--help"}).standard_output, AllOf(HasSubstr("--cpus"), HasSubstr("--keep")));
}

TEST(VmMainTest, HelpNamesEveryExitCodeOfAGuest) {
  const std::string help = MusterVm({"run", "--help"}).standard_output;
  for (const GuestExitCode code : {kExitNoGuest, kExitPanicked, kExitBootHung, kExitNeverServed, kExitGuestLost,
                                   kExitNoScheduler, kExitSchedulerEjected, kExitInterrupted}) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat(" ", static_cast<int>(code), "  ")));
  }
}

TEST(VmMainTest, ASpecThatCannotBeHadEndsAsThatOfMusterRun) {
  EXPECT_EQ(MusterVm({"run", "/none.txtpb"}).exit_code, kExitNotFound);
  EXPECT_EQ(MusterVm({"run", "/"}).exit_code, kExitIo);
}

TEST(VmMainTest, WrongWordsAreAnErrorThatPointsAtTheHelp) {
  EXPECT_EQ(MusterVm({}).exit_code, 64);
  const ProgramResult subcommand = MusterVm({"fly"});
  EXPECT_EQ(subcommand.exit_code, 64);
  EXPECT_THAT(subcommand.standard_error, HasSubstr("there is no subcommand \"fly\""));
  const ProgramResult flag = MusterVm({"run", "--wings"});
  EXPECT_EQ(flag.exit_code, 64);
  EXPECT_THAT(flag.standard_error, AllOf(HasSubstr("--wings"), HasSubstr("see muster vm run --help")));
}

}  // namespace
}  // namespace muster::vm
