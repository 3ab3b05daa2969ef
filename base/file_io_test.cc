#include "base/file_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "absl/strings/str_cat.h"

namespace muster {
namespace {

class FileIoTest : public testing::Test {
 protected:
  FileIoTest() : path_(absl::StrCat(testing::TempDir(), "/file_io_test.", getpid())) {}
  ~FileIoTest() override { unlink(path_.c_str()); }
  const std::string path_;
};

TEST_F(FileIoTest, WrittenTextIsReadBack) {
  absl::StatusOr<UniqueFd> fd = OpenAt(AT_FDCWD, path_, O_CREAT | O_WRONLY, 0600);
  ASSERT_TRUE(fd.ok()) << fd.status();
  const std::string text(100'000, 'x');
  ASSERT_TRUE(WriteAll(fd->get(), text).ok());
  EXPECT_EQ(*ReadFile(path_), text);
}

TEST_F(FileIoTest, MissingFileIsNamedWithErrno) {
  const absl::Status status = ReadFile(path_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find(path_), absl::string_view::npos);
  EXPECT_NE(status.message().find("ENOENT"), absl::string_view::npos);
}

TEST_F(FileIoTest, LongerThanTheBoundIsRefused) {
  absl::StatusOr<UniqueFd> fd = OpenAt(AT_FDCWD, path_, O_CREAT | O_WRONLY, 0600);
  ASSERT_TRUE(WriteAll(fd->get(), std::string(5000, 'x')).ok());
  EXPECT_EQ(ReadFileAt(AT_FDCWD, path_, 4096).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(FileIoTest, DescriptorsAreCloseOnExec) {
  absl::StatusOr<UniqueFd> fd = OpenAt(AT_FDCWD, "/dev/null", O_RDONLY);
  EXPECT_NE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(FileIoTest, WriteToAMissingFileDoesNotMakeIt) {
  EXPECT_FALSE(WriteFileAt(AT_FDCWD, path_, "1").ok());
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace muster
