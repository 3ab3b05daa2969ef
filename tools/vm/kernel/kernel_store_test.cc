#include "tools/vm/kernel/kernel_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/file_io.h"
#include "tools/vm/support/cache.h"

namespace muster::vm {
namespace {

// A bzImage with one setup sector and an ELF file as its payload.
std::string BzImageOf(const std::string& elf) {
  std::string image(1024, '\0');
  image[0x1f1] = 1;
  image.replace(0x202, 4, "HdrS");
  image.replace(0x206, 2, "\x0f\x02");
  const uint32_t size = elf.size();
  memcpy(image.data() + 0x24c, &size, sizeof(size));
  // Where the release stands, less the first sector.
  image.replace(0x20e, 2, std::string("\x80\x01"));
  image.replace(0x380, 6, "7.0-x ");
  return image + elf;
}

std::string Elf(const std::string& text) {
  return "\x7f"
         "ELF" +
         text;
}

// Scripts take the places of apt and dpkg: all packages hold ROOT/package.
class OwnArchive {
 public:
  explicit OwnArchive(const std::filesystem::path& root) : path_(getenv("PATH")) {
    std::filesystem::create_directories(root / "bin");
    Script(root / "bin/apt-get", "for word; do [ $word != download ] || : > x.deb; done\n");
    Script(root / "bin/apt-cache", "echo Package: linux-x\n");
    Script(root / "bin/dpkg", absl::StrCat("cp -r ", root.string(), "/package/. $3\n"));
    setenv("PATH", absl::StrCat((root / "bin").string(), ":", path_).c_str(), 1);
  }
  ~OwnArchive() { setenv("PATH", path_.c_str(), 1); }

 private:
  static void Script(const std::string& path, const std::string& script) {
    std::ofstream(path) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path, std::filesystem::perms::all);
  }
  const std::string path_;
};

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
  EXPECT_EQ(*ReadFile(kernel->image), "elf");
  EXPECT_TRUE(std::filesystem::exists(kernel->modules + "/kernel/a.ko"));
  EXPECT_TRUE(std::filesystem::exists(root_ / "kernels/sid/linux-x/vmlinux"));
}

TEST_F(KernelStoreTest, RefreshLeavesAloneWhatOthersRead) {
  const OwnArchive archive(root_);
  KernelOptions options;
  options.cache = root_;
  options.package = "linux-x";
  options.mirror = "file:///nowhere";
  options.refresh = true;
  std::vector<GuestKernel> kernels;
  for (const std::string build : {"first", "second", "third"}) {
    Put("package/boot/vmlinuz-7.0-x", BzImageOf(Elf(build)));
    Put("package/lib/modules/7.0-x/a.ko", build);
    const auto kernel = FetchKernel(options);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    kernels.push_back(*kernel);
    if (build == "second") kernels[1].held.reset();
  }
  EXPECT_EQ(*ReadFile(kernels[0].image), Elf("first"));
  EXPECT_EQ(*ReadFile(kernels[0].modules + "/a.ko"), "first");
  EXPECT_FALSE(std::filesystem::exists(kernels[1].image));
  EXPECT_EQ(*ReadFile(kernels[2].image), Elf("third"));
  EXPECT_EQ(*ReadFile(kernels[2].modules + "/a.ko"), "third");
}

TEST_F(KernelStoreTest, NamesThatLeaveTheCacheAreRefused) {
  KernelOptions options;
  options.cache = root_;
  options.package = "../../etc";
  EXPECT_EQ(FetchKernel(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(KernelStoreTest, OwnElfKernelIsUsedAsItIsWithTheModulesBesideIt) {
  Put("own/vmlinux", Elf("..Linux version 6.9-own (x)"));
  Put("own/modules/kernel/a.ko", "");
  const auto kernel = OpenKernel({root_, root_ / "own/vmlinux", ""});
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ(kernel->image, root_ / "own/vmlinux");
  EXPECT_EQ(kernel->release, "6.9-own");
  EXPECT_EQ(kernel->modules, root_ / "own/modules");
}

TEST_F(KernelStoreTest, OwnKernelIsTheFilesContentEvenWithTheOldTime) {
  const auto time = std::filesystem::file_time_type::clock::now();
  for (const char* build : {"first build", "later build"}) {
    Put("bzImage", BzImageOf(Elf(build)));
    std::filesystem::last_write_time(root_ / "bzImage", time);
    const auto kernel = OpenKernel({root_, root_ / "bzImage", ""});
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    EXPECT_EQ(*ReadFile(kernel->image), Elf(build));
  }
}

TEST_F(KernelStoreTest, OnlyTheOwnKernelsThatWereUsedLastStayUnpacked) {
  std::string first;
  for (int build = 0; build < 8; ++build) {
    Put("first", BzImageOf(Elf("first")));
    Put("bzImage", BzImageOf(Elf(absl::StrCat("build ", build))));
    first = OpenKernel({root_, root_ / "first", ""})->image;
    EXPECT_EQ(*ReadFile(OpenKernel({root_, root_ / "bzImage", ""})->image), Elf(absl::StrCat("build ", build)));
    EXPECT_EQ(*ReadFile(first), Elf("first"));
  }
  const std::filesystem::directory_iterator kept(root_ / "vmlinux");
  EXPECT_EQ(std::distance(begin(kept), end(kept)), 4);
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
