#include "tools/vm/kernel/fetched_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"

namespace muster::vm {
namespace {

using ::testing::HasSubstr;

constexpr char kAptGet[] = "for word; do [ $word != download ] || : > tool.deb; done\n";
// What dpkg does with the program, `$file`, after its folder was made.
constexpr char kDpkg[] = "file=$3/usr/bin/tool; mkdir -p $3/usr/bin; : > $file; chmod 755 $file\n";

// Scripts take the places of apt-get and dpkg.
class FetchedProgramTest : public ::testing::Test {
 protected:
  FetchedProgramTest() : folder_(::testing::TempDir() + "/fetched"), path_(getenv("PATH")) {
    std::filesystem::create_directories(folder_ + "/bin");
    setenv("PATH", absl::StrCat(folder_, "/bin:", path_).c_str(), 1);
    options_.cache = folder_ + "/cache";
    options_.mirror = "file:///nowhere";
    Script("apt-get", kAptGet);
  }
  ~FetchedProgramTest() override {
    setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  void Script(const std::string& name, const std::string& script) {
    const std::string path = absl::StrCat(folder_, "/bin/", name);
    std::ofstream(path) << "#!/bin/sh\n" << script;
    chmod(path.c_str(), 0755);
  }
  absl::StatusOr<std::string> Fetch() { return FetchProgram({"tool", "usr/bin/tool", "sid", "tools"}, options_); }

  const std::string folder_;
  const std::string path_;
  KernelOptions options_;
};

TEST_F(FetchedProgramTest, ProgramIsFetchedOnce) {
  Script("dpkg", absl::StrCat(kDpkg, "echo whole > $file\n"));
  const absl::StatusOr<std::string> path = Fetch();
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*path, options_.cache + "/tools/usr/bin/tool");
  EXPECT_EQ(*ReadFile(*path), "whole\n");
  Script("dpkg", "exit 1\n");
  EXPECT_EQ(*Fetch(), *path);
}

TEST_F(FetchedProgramTest, HalfOfAProgramIsNotTaken) {
  Script("dpkg", absl::StrCat(kDpkg, "echo half > $file; : > $3/usr/bin/half; exit 1\n"));
  EXPECT_FALSE(Fetch().ok());
  EXPECT_FALSE(std::filesystem::exists(options_.cache + "/tools/usr/bin/tool"));
  Script("dpkg", absl::StrCat(kDpkg, "[ ! -e $3/usr/bin/half ] || exit 1; echo whole > $file\n"));
  const absl::StatusOr<std::string> path = Fetch();
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*ReadFile(*path), "whole\n");
}

TEST_F(FetchedProgramTest, PackageWithoutTheProgramIsAnError) {
  Script("dpkg", "exit 0\n");
  EXPECT_THAT(std::string(Fetch().status().message()), HasSubstr("usr/bin/tool"));
}

}  // namespace
}  // namespace muster::vm
