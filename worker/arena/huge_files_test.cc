#include "worker/arena/huge_files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/file_io.h"
#include "gtest/gtest.h"

namespace muster::arena {
namespace {

class HugeFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<HugeFiles> files = HugeFiles::Mount();
    if (!files.ok()) GTEST_SKIP() << files.status();
    files_.emplace(*std::move(files));
  }

  // A file of `bytes` with all its memory.
  UniqueFd MakeFull(uint64_t bytes) {
    absl::StatusOr<UniqueFd> fd = files_->Make();
    EXPECT_TRUE(fd.ok()) << fd.status();
    EXPECT_EQ(ftruncate(fd->get(), bytes), 0);
    EXPECT_EQ(fallocate(fd->get(), 0, 0, bytes), 0);
    return *std::move(fd);
  }

  std::optional<HugeFiles> files_;
};

// KiB of the caller's shared mappings that are mapped by huge pages.
int64_t KibMappedHuge() {
  const std::string smaps = ReadFile("/proc/self/smaps_rollup").value_or("");
  for (const absl::string_view line : absl::StrSplit(smaps, '\n')) {
    int64_t kib = 0;
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() == 3 && words[0] == "ShmemPmdMapped:" && absl::SimpleAtoi(words[1], &kib)) return kib;
  }
  return -1;
}

TEST_F(HugeFilesTest, AFileIsMappedByHugePages) {
  const uint64_t bytes = 4 * files_->huge_page_bytes();
  const UniqueFd fd = MakeFull(bytes);
  const int64_t before = KibMappedHuge();
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  ASSERT_NE(base, MAP_FAILED);
  EXPECT_GT(KibMappedHuge(), before);
  munmap(base, bytes);
}

TEST_F(HugeFilesTest, SuitsPartsOfWhichFewShareAHugePage) {
  EXPECT_FALSE(files_->Suits(files_->huge_page_bytes() / 4 - 1));
  EXPECT_TRUE(files_->Suits(files_->huge_page_bytes() / 4));
}

TEST_F(HugeFilesTest, AFileHasNoNameAndIsKnownAgain) {
  const absl::StatusOr<UniqueFd> fd = files_->Make();
  ASSERT_TRUE(fd.ok()) << fd.status();
  struct stat status;
  ASSERT_EQ(fstat(fd->get(), &status), 0);
  EXPECT_EQ(status.st_nlink, 0u);
  EXPECT_TRUE(HugeFiles::Made(fd->get()));
  const UniqueFd memfd(memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_FALSE(HugeFiles::Made(memfd.get()));
  const UniqueFd other(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(HugeFiles::Made(other.get()));
  struct statfs file_system;
  if (statfs("/dev/shm", &file_system) == 0 && file_system.f_type == TMPFS_MAGIC) {
    std::string path = "/dev/shm/huge_files_test.XXXXXX";
    const UniqueFd named(mkstemp(path.data()));
    ASSERT_TRUE(named.valid());
    EXPECT_FALSE(HugeFiles::Made(named.get()));
    unlink(path.c_str());
  }
  EXPECT_FALSE(HugeFiles::Made(-1));
}

TEST_F(HugeFilesTest, ManyFilesHaveNothingInCommon) {
  const UniqueFd a = MakeFull(4'096);
  const UniqueFd b = MakeFull(4'096);
  ASSERT_EQ(pwrite(a.get(), "a", 1, 0), 1);
  char byte = 'x';
  ASSERT_EQ(pread(b.get(), &byte, 1, 0), 1);
  EXPECT_EQ(byte, 0);
}

// A tmpfs is bounded by half of the memory unless one says otherwise; a memfd is not.
TEST_F(HugeFilesTest, TheFileSystemHasNoBoundOfItsOwn) {
  const absl::StatusOr<UniqueFd> fd = files_->Make();
  struct statfs file_system;
  ASSERT_EQ(fstatfs(fd->get(), &file_system), 0);
  EXPECT_EQ(file_system.f_blocks, 0u);
  EXPECT_EQ(file_system.f_files, 0u);
}

TEST_F(HugeFilesTest, AFileOutlivesTheMount) {
  const UniqueFd fd = MakeFull(files_->huge_page_bytes());
  files_.reset();
  EXPECT_EQ(pwrite(fd.get(), "a", 1, 0), 1);
  EXPECT_TRUE(HugeFiles::Made(fd.get()));
}

TEST_F(HugeFilesTest, IsMountedNowhere) {
  const absl::StatusOr<UniqueFd> fd = files_->Make();
  struct stat status;
  ASSERT_EQ(fstat(fd->get(), &status), 0);
  const std::string mounts = ReadFile("/proc/self/mountinfo").value_or("");
  ASSERT_NE(mounts, "");
  EXPECT_FALSE(absl::StrContains(mounts, "huge=within_size"));
}

TEST_F(HugeFilesTest, WhoMayNotMountIsTold) {
  const pid_t child = fork();
  if (child == 0) {
    if (setresuid(65534, 65534, 65534) != 0) _exit(1);
    _exit(absl::IsPermissionDenied(HugeFiles::Mount().status()) ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace muster::arena
