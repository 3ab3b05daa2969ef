// tools/install with stand-ins for the programs, and what systemd says of the units.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "base/file_io.h"
#include "tests/support/program_run.h"

namespace muster {
namespace {

constexpr char kAnalyze[] = "/usr/bin/systemd-analyze";

class InstallTest : public testing::Test {
 protected:
  InstallTest() {
    char pattern[] = "/tmp/muster_install.XXXXXX";
    directory_ = mkdtemp(pattern);
    std::filesystem::create_directory(directory_ + "/bin");
    for (const char* program : {"musterd", "muster-worker", "muster"}) {
      std::ofstream(directory_ + "/bin/" + program) << "#!/bin/sh\n";
    }
  }
  ~InstallTest() override { std::filesystem::remove_all(directory_); }

  ProgramResult Install(const std::string& prefix) {
    return RunProgram("tools/install",
                      {"--prefix", prefix, "--destdir=" + directory_ + "/root", "--bin", directory_ + "/bin"});
  }

  // Mode of an installed file; 0: it is not there.
  mode_t ModeOf(const std::string& path) {
    struct stat file;
    return stat((directory_ + "/root" + path).c_str(), &file) == 0 ? file.st_mode & 07777 : 0;
  }

  std::string Contents(const std::string& path) { return ReadFile(directory_ + "/root" + path).value_or(""); }

  std::string directory_;
};

TEST_F(InstallTest, ProgramsUnitsAndManualLieWhereTheyBelong) {
  const ProgramResult result = Install("/opt/muster");
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  for (const char* program : {"musterd", "muster-worker", "muster"}) {
    EXPECT_EQ(ModeOf(std::string("/opt/muster/bin/") + program), 0755u) << program;
  }
  for (const char* unit : {"musterd.service", "musterd.socket", "musterd-vsock.socket"}) {
    EXPECT_EQ(ModeOf(std::string("/etc/systemd/system/") + unit), 0644u) << unit;
  }
  EXPECT_EQ(ModeOf("/opt/muster/share/doc/muster/operations.md"), 0644u);
  const std::string service = Contents("/etc/systemd/system/musterd.service");
  EXPECT_TRUE(absl::StrContains(service, "ExecStart=/opt/muster/bin/musterd --listen inherited ")) << service;
  EXPECT_TRUE(absl::StrContains(service, "--worker-binary /opt/muster/bin/muster-worker\n")) << service;
  EXPECT_FALSE(absl::StrContains(service, "@")) << service;
}

TEST_F(InstallTest, UnitsOfADistributionGoBesideItsOthers) {
  ASSERT_EQ(Install("/usr").exit_code, 0);
  EXPECT_EQ(ModeOf("/usr/lib/systemd/system/musterd.service"), 0644u);
}

TEST_F(InstallTest, PrefixThatAUnitCannotNameIsRefused) {
  EXPECT_EQ(Install("relative").exit_code, 64);
  EXPECT_EQ(Install("/opt/with blank").exit_code, 64);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/root"));
}

// systemd passes over what it does not understand, with a line on its error stream and a good exit status.
TEST_F(InstallTest, SystemdHasNothingToSayAgainstTheUnits) {
  if (access(kAnalyze, X_OK) != 0) GTEST_SKIP() << "there is no " << kAnalyze << "; it is in the package systemd";
  const std::string prefix = directory_ + "/prefix";
  ASSERT_EQ(Install(prefix).exit_code, 0);
  // The units name programs by their final path.
  std::filesystem::create_symlink(directory_ + "/root" + prefix, prefix);
  std::vector<std::string> arguments = {"verify", "--man=no"};
  for (const char* unit : {"musterd.service", "musterd.socket", "musterd-vsock.socket"}) {
    arguments.push_back(directory_ + "/root/etc/systemd/system/" + unit);
  }
  const ProgramResult result = RunProgram(kAnalyze, arguments);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.standard_error, "");
}

}  // namespace
}  // namespace muster
