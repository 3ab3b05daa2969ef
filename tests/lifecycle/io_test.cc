// I/O work touches what the spec or the daemon's flags name, and nothing else.
#include <dirent.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/live_test.h"

namespace muster {
namespace {

// Not a block device: nothing is read or written whatever is allowed.
constexpr char kNamesADevice[] = "work { io_sync_write { device: '/dev/null' } }";

class IoTest : public LiveTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(directory_);
    StartDaemon({.flags = flags_});
  }
  void TearDown() override {
    LiveTest::TearDown();
    EXPECT_TRUE(std::filesystem::is_empty(directory_));
    std::filesystem::remove_all(directory_);
  }

  const std::string directory_ = absl::StrCat(testing::TempDir(), "io-test-", getpid());
  std::vector<std::string> flags_;
};

// What the descriptors of a process point at.
std::vector<std::string> OpenFiles(pid_t pid) {
  std::vector<std::string> files;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/fd"), gone)) {
    files.push_back(std::filesystem::read_symlink(entry.path(), gone).string());
  }
  return files;
}

TEST_F(IoTest, ABlockDeviceIsRefusedInWordsThatNameTheFlag) {
  for (const char* type : {"io_sync_write", "io_rand_read", "io_convoy"}) {
    const absl::Status status =
        client_->Spawn(Spec(absl::StrCat("composed { num_workers: 1 work { ", type, " { device: '/dev/null' } } }")))
            .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("composed[0].work.", type, ".device"))) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "start musterd with --allow-block-devices")) << status;
  }
}

class AllowingIoTest : public IoTest {
 protected:
  AllowingIoTest() { flags_ = {"--allow-block-devices", "--io-dir", directory_}; }
};

TEST_F(AllowingIoTest, WhatIsNamedMustBeABlockDevice) {
  WorkloadHandle handle = MustSpawn(Spec(kNamesADevice));
  ASSERT_TRUE(handle.Start().ok());
  WaitForProgress(handle, 1);
  const CollectedReports collected = MustCollect(std::move(handle));
  ASSERT_EQ(collected.reports.size(), 1u);
  EXPECT_EQ(collected.reports[0].noop_reason(), "/dev/null is not a block device");
  EXPECT_EQ(collected.reports[0].work_units(), 0u);
}

TEST_F(AllowingIoTest, FilesLieWhereTheFlagSaysUnlessTheSpecSaysOtherwise) {
  WorkloadHandle flag = MustSpawn(Spec("work { io_sync_write { file_kib: 64 } }"));
  EXPECT_THAT(OpenFiles(flag.WorkerPids()[0]), testing::Contains(testing::StartsWith(directory_ + "/")));
  WorkloadHandle spec = MustSpawn(Spec("work { io_sync_write { file_kib: 64 directory: '/dev/shm' } }"));
  EXPECT_THAT(OpenFiles(spec.WorkerPids()[0]), testing::Contains(testing::StartsWith("/dev/shm/")));
  EXPECT_THAT(OpenFiles(spec.WorkerPids()[0]), testing::Not(testing::Contains(testing::StartsWith(directory_ + "/"))));
}

}  // namespace
}  // namespace muster
