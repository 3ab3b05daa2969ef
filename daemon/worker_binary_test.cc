#include "daemon/worker_binary.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"

namespace muster {
namespace {

class WorkerBinaryTest : public testing::Test {
 protected:
  WorkerBinaryTest() : root_(std::filesystem::canonical(testing::TempDir()) / "worker_binary") {
    std::filesystem::remove_all(root_);
  }
  ~WorkerBinaryTest() override { std::filesystem::remove_all(root_); }

  std::string Make(const std::string& name, bool executable = true) {
    const std::filesystem::path path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "x";
    if (executable) std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path.string();
  }

  WorkerBinaryPlaces Places(const std::string& given = "") {
    return {given, (root_ / "daemon").string(), (root_ / "bin1").string() + ":" + (root_ / "bin2").string()};
  }

  const std::filesystem::path root_;
};

TEST_F(WorkerBinaryTest, BesideTheDaemonComesBeforeTheBuildTreeBeforePath) {
  const std::string on_path = Make("bin2/muster-worker");
  EXPECT_EQ(*FindWorkerBinary(Places()), on_path);
  std::filesystem::create_directories(root_ / "daemon");
  const std::string in_tree = Make("worker/muster-worker");
  EXPECT_EQ(*FindWorkerBinary(Places()), in_tree);
  const std::string beside = Make("daemon/muster-worker");
  EXPECT_EQ(*FindWorkerBinary(Places()), beside);
}

TEST_F(WorkerBinaryTest, WhatIsGivenIsTheOnlyPlace) {
  Make("daemon/muster-worker");
  const std::string given = Make("mine");
  EXPECT_EQ(*FindWorkerBinary(Places(given)), given);
  EXPECT_EQ(FindWorkerBinary(Places(given + "x")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(WorkerBinaryTest, FilesThatCannotBeRunAndFoldersAreNoPrograms) {
  Make("daemon/muster-worker", /*executable=*/false);
  std::filesystem::create_directories(root_ / "worker/muster-worker");
  const absl::Status status = FindWorkerBinary(Places()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(status.message(), "/bin2/muster-worker")) << status;
}

}  // namespace
}  // namespace muster
