#include "tools/vm/image/programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace muster::vm {
namespace {

using ::testing::HasSubstr;

TEST(ProgramsTest, InstalledNeighbourComesBeforeTheBuildTree) {
  const std::filesystem::path root = std::filesystem::path(::testing::TempDir()) / "tree";
  std::filesystem::create_directories(root / "tools/vm");
  std::filesystem::create_directories(root / "daemon");
  const ProgramName name = {"musterd-static", "daemon/musterd-static"};
  EXPECT_EQ(FindAround(root / "tools/vm", name), "");
  std::ofstream(root / "daemon/musterd-static") << "x";
  EXPECT_EQ(FindAround(root / "tools/vm", name), root / "daemon/musterd-static");
  std::ofstream(root / "tools/vm/musterd-static") << "x";
  EXPECT_EQ(FindAround(root / "tools/vm", name), root / "tools/vm/musterd-static");
  std::filesystem::remove_all(root);
}

TEST(ProgramsTest, ExtraFileNeedsBothPaths) {
  const auto parse = [](const std::string& extra) {
    return ImageOptionsFrom(*Flags::Parse({"--init=/i", "--musterd=/m", "--worker=/w", "--add", extra}, ImageFlags()));
  };
  EXPECT_EQ(parse("opt/a:/bin/a")->extra[0].host_path, "/bin/a");
  EXPECT_THAT(std::string(parse("opt/a").status().message()), HasSubstr("GUEST:HOST"));
}

}  // namespace
}  // namespace muster::vm
