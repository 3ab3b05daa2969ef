#include "tools/vm/kernel/kernel_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file_io.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {
namespace {

class KernelStoreTest : public ::testing::Test {
 protected:
  KernelStoreTest() : root_(std::filesystem::path(::testing::TempDir()) / "store") {
    std::filesystem::create_directories(root_);
  }
  ~KernelStoreTest() override { std::filesystem::remove_all(root_); }
  void Put(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << content;
  }
  const std::filesystem::path root_;
};

TEST_F(KernelStoreTest, CachedKernelIsTakenWithoutAskingAnyone) {
  Put("kernels/sid/linux-x/release", "7.0-x");
  Put("kernels/sid/linux-x/vmlinux", "elf");
  Put("kernels/sid/linux-x/modules/kernel/a.ko", "");
  KernelOptions options;
  options.cache = root_;
  options.suite = "sid";
  options.package = "linux-x";
  options.mirror = "file:///nowhere";
  const auto kernel = FetchKernel(options);
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ(kernel->release, "7.0-x");
  EXPECT_EQ(kernel->image, root_ / "kernels/sid/linux-x/vmlinux");
  EXPECT_EQ(kernel->modules, root_ / "kernels/sid/linux-x/modules");
}

TEST_F(KernelStoreTest, NamesThatLeaveTheCacheAreRefused) {
  KernelOptions options;
  options.cache = root_;
  options.package = "../../etc";
  EXPECT_EQ(FetchKernel(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(KernelStoreTest, OwnElfKernelIsUsedAsItIsWithTheModulesBesideIt) {
  Put("own/vmlinux",
      "\x7f"
      "ELF..Linux version 6.9-own (x)");
  Put("own/modules/kernel/a.ko", "");
  const auto kernel = OpenKernel({root_, root_ / "own/vmlinux", ""});
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ(kernel->image, root_ / "own/vmlinux");
  EXPECT_EQ(kernel->release, "6.9-own");
  EXPECT_EQ(kernel->modules, root_ / "own/modules");
}

TEST_F(KernelStoreTest, FileThatIsNoKernelIsRefused) {
  Put("text", "hello");
  EXPECT_EQ(OpenKernel({root_, root_ / "text", ""}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenKernel({root_, root_ / "absent", ""}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(KernelStoreTest, LockIsHeldByOneAtATime) {
  auto first = FileLock::TryAcquire(root_ / "lock");
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(absl::IsUnavailable(FileLock::TryAcquire(root_ / "lock").status()));
  *first = *FileLock::TryAcquire(root_ / "other");
  EXPECT_TRUE(FileLock::TryAcquire(root_ / "lock").ok());
}

}  // namespace
}  // namespace muster::vm
