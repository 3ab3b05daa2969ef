#include "tools/cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<FlagSpec> kSpecs = {{"cpus", "N", "CPUs"}, {"keep", "", "keep it"}, {"add", "FILE", "more"}};

TEST(FlagsTest, BothSpellingsSwitchesAndPositionalsAreRead) {
  const absl::StatusOr<Flags> flags =
      Flags::Parse({"--cpus", "4", "a", "--keep", "--add=x", "--add", "y", "--", "--b"}, kSpecs);
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(*flags->GetInt("cpus", 1, {1, 8}), 4);
  EXPECT_TRUE(flags->Has("keep"));
  EXPECT_THAT(flags->All("add"), ElementsAre("x", "y"));
  EXPECT_THAT(flags->positional(), ElementsAre("a", "--b"));
}

TEST(FlagsTest, AbsentFlagHasItsDefault) {
  const absl::StatusOr<Flags> flags = Flags::Parse({}, kSpecs);
  EXPECT_EQ(*flags->GetInt("cpus", 2, {1, 8}), 2);
  EXPECT_EQ(flags->Get("add", "none"), "none");
}

TEST(FlagsTest, RefusalsNameTheFlag) {
  EXPECT_THAT(std::string(Flags::Parse({"--nope"}, kSpecs).status().message()), HasSubstr("--nope"));
  EXPECT_THAT(std::string(Flags::Parse({"--cpus"}, kSpecs).status().message()), HasSubstr("--cpus needs a value"));
  EXPECT_THAT(std::string(Flags::Parse({"--keep=1"}, kSpecs).status().message()), HasSubstr("--keep takes no value"));
  EXPECT_THAT(std::string(Flags::Parse({"--cpus=99"}, kSpecs)->GetInt("cpus", 1, {1, 8}).status().message()),
              HasSubstr("1 to 8"));
}

}  // namespace
}  // namespace muster
