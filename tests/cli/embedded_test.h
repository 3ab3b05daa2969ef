// Fixture of tests of `muster` with its private daemon: knows everything that a run may leave behind.
#ifndef MUSTER_TESTS_CLI_EMBEDDED_TEST_H_
#define MUSTER_TESTS_CLI_EMBEDDED_TEST_H_

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/cgroup_mounts.h"
#include "base/deadline.h"
#include "base/file_io.h"
#include "tests/support/program_run.h"

namespace muster {

class EmbeddedTest : public testing::Test {
 protected:
  EmbeddedTest() {
    char pattern[] = "/tmp/muster_cli.XXXXXX";
    root_ = mkdtemp(pattern);
    // A copy, by which the processes of this test can be told from everyone else's.
    worker_ = root_ + "/muster-worker";
    std::filesystem::copy_file(std::filesystem::canonical("worker/muster-worker"), worker_);
  }

  ~EmbeddedTest() override {
    EXPECT_EQ(WaitUntilNothingIsLeft(), "");
    std::filesystem::remove_all(root_);
  }

  StartedProgram StartMuster(std::vector<std::string> args) {
    args.insert(args.end(), {"--muster-worker", worker_});
    return StartProgram("tools/muster", std::move(args), {"MUSTER_TARGET=", "TMPDIR=" + root_});
  }

  ProgramResult Muster(std::vector<std::string> args) { return FinishProgram(StartMuster(std::move(args))); }

  // Empty when no process, cgroup or socket of a run is left, waiting for a while; else what is.
  std::string WaitUntilNothingIsLeft() const {
    const Deadline deadline = Deadline::After(absl::Seconds(30));
    std::string left = Leftovers();
    // Nothing wakes us when a stranger's process is gone.
    while (!left.empty() && !deadline.Expired()) {
      usleep(20'000);
      left = Leftovers();
    }
    return left;
  }

  std::string root_;
  std::string worker_;

 private:
  std::string Leftovers() const {
    std::vector<std::string> left;
    std::error_code error;
    for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
      const std::string program = std::filesystem::read_symlink(process.path() / "exe", error).string();
      const std::string command = ReadFile((process.path() / "cmdline").string()).value_or("");
      // The daemon has the copy's path among its arguments, the others run it.
      if (program == worker_ || (absl::StartsWith(command, "musterd") && absl::StrContains(command, worker_))) {
        left.push_back(absl::StrCat("process ", process.path().filename().string(), " ", program));
      }
    }
    for (const auto& file : std::filesystem::directory_iterator(root_, error)) {
      if (file.is_socket(error)) left.push_back(file.path());
    }
    return absl::StrJoin(left, "\n");
  }
};

// Cgroup directories of private daemons of the process `pid`, which must be gone with it.
inline std::vector<std::string> InstancesOf(pid_t pid) {
  std::vector<std::string> instances;
  const std::string mount = FindCgroup2Mount(*ReadFile("/proc/self/mountinfo")).value_or("/none");
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(mount + "/muster", error)) {
    if (absl::StartsWith(entry.path().filename().string(), absl::StrCat("private-", pid, "-"))) {
      instances.push_back(entry.path());
    }
  }
  return instances;
}

}  // namespace muster

#endif  // MUSTER_TESTS_CLI_EMBEDDED_TEST_H_
