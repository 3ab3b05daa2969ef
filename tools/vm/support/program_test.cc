#include "tools/vm/support/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::vm {
namespace {

using ::testing::HasSubstr;

TEST(ProgramTest, InputGoesInAndOutputComesBack) {
  const std::string input(3 << 20, 'x');
  const absl::StatusOr<std::string> out = RunProgram({{"cat"}, input, absl::Seconds(30)});
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(*out, input);
}

TEST(ProgramTest, FailureCarriesTheExitCodeAndTheErrorText) {
  const absl::StatusOr<std::string> out =
      RunProgram({{"sh", "-c", "echo no such thing >&2; exit 3"}, "", absl::Seconds(30)});
  ASSERT_FALSE(out.ok());
  EXPECT_THAT(std::string(out.status().message()), HasSubstr("exit code 3: no such thing"));
}

TEST(ProgramTest, SlowProgramIsKilledAtItsLimit) {
  const absl::StatusOr<std::string> out = RunProgram({{"sleep", "1000"}, "", absl::Milliseconds(50)});
  EXPECT_EQ(out.status().code(), absl::StatusCode::kDeadlineExceeded) << out.status();
}

TEST(ProgramTest, ProgramThatDoesNotReadItsInputIsNoFailure) {
  const std::string input(3 << 20, 'x');
  EXPECT_TRUE(RunProgram({{"true"}, input, absl::Seconds(30)}).ok());
}

TEST(ProgramTest, UnknownProgramIsNotFound) {
  const absl::StatusOr<std::string> out = RunProgram({{"no-such-program-here"}, "", absl::Seconds(1)});
  EXPECT_EQ(out.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(out.status().message()), HasSubstr("no-such-program-here"));
}

}  // namespace
}  // namespace muster::vm
