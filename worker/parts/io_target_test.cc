#include "worker/parts/io_target.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

namespace muster {
namespace {

TEST(IoTarget, AFileIsAllTheWorkersOwn) {
  absl::StatusOr<IoTarget> target = OpenIoTarget({.directory = testing::TempDir(), .file_kib = 128, .worker = 9});
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->base, 0u);
  EXPECT_EQ(target->extent, 128u * 1024);
  EXPECT_EQ(target->capacity, 128u * 1024);
}

TEST(IoTarget, AFilledFileHasItsBlocksAndAnotherHasNone) {
  for (const bool filled : {false, true}) {
    absl::StatusOr<IoTarget> target =
        OpenIoTarget({.directory = testing::TempDir(), .file_kib = 256, .filled = filled});
    ASSERT_TRUE(target.ok()) << target.status();
    struct stat status;
    ASSERT_EQ(fstat(target->fd.get(), &status), 0);
    EXPECT_EQ(status.st_blocks * 512 >= 256 * 1024, filled);
  }
}

TEST(IoTarget, DirectIoIsInForceOrTheTargetSaysThatItIsNot) {
  absl::StatusOr<IoTarget> target = OpenIoTarget({.directory = testing::TempDir(), .file_kib = 64, .flags = O_DIRECT});
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ((fcntl(target->fd.get(), F_GETFL) & O_DIRECT) == 0, !target->degraded.empty());
}

// No device of this machine is opened: the files stand for one that was named and allowed.
TEST(IoTarget, WhatIsNamedAsADeviceMustBeOne) {
  setenv("MUSTER_ALLOW_BLOCK_DEVICES", "1", 1);
  EXPECT_EQ(OpenIoTarget({.device = "/dev/null"}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenIoTarget({.device = "/dev/no-such-device"}).status().code(), absl::StatusCode::kNotFound);
  unsetenv("MUSTER_ALLOW_BLOCK_DEVICES");
  EXPECT_EQ(OpenIoTarget({.device = "/dev/null"}).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace muster
