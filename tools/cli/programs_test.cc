#include "tools/cli/programs.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace muster {
namespace {

class ProgramsTest : public testing::Test {
 protected:
  ProgramsTest() {
    char pattern[] = "/tmp/muster_programs.XXXXXX";
    root_ = mkdtemp(pattern);
    for (const char* folder : {"/bin", "/daemon", "/path"}) std::filesystem::create_directory(root_ + folder);
  }
  ~ProgramsTest() override { std::filesystem::remove_all(root_); }

  void Make(const std::string& path, mode_t mode = 0700) {
    std::ofstream(root_ + path) << "#!";
    chmod((root_ + path).c_str(), mode);
  }

  absl::StatusOr<std::string> Find(const std::string& flag_value = "") {
    return FindProgram({"musterd", "daemon", "musterd", flag_value}, root_ + "/bin",
                       absl::StrCat("/nowhere:", root_, "/path"));
  }

  std::string root_;
};

TEST_F(ProgramsTest, NeighbourComesBeforeBuildTreeBeforePath) {
  Make("/path/musterd");
  EXPECT_EQ(*Find(), root_ + "/path/musterd");
  Make("/daemon/musterd");
  EXPECT_EQ(*Find(), root_ + "/bin/../daemon/musterd");
  Make("/bin/musterd");
  EXPECT_EQ(*Find(), root_ + "/bin/musterd");
}

TEST_F(ProgramsTest, FlagComesBeforeAll) {
  Make("/bin/musterd");
  Make("/path/mine");
  EXPECT_EQ(*Find(root_ + "/path/mine"), root_ + "/path/mine");
}

TEST_F(ProgramsTest, FlagThatNamesNothingIsNoReasonToLookElsewhere) {
  Make("/bin/musterd");
  EXPECT_EQ(Find(root_ + "/none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ProgramsTest, FoldersAndFilesThatCannotRunAreNoPrograms) {
  std::filesystem::create_directory(root_ + "/bin/musterd");
  Make("/path/musterd", 0600);
  const absl::Status status = Find().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(status.message(), root_ + "/path/musterd")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "name it with --musterd")) << status;
}

}  // namespace
}  // namespace muster
