#include "worker/parts/io_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace muster {
namespace {

int Entries(const std::string& directory) {
  DIR* const dir = opendir(directory.c_str());
  int entries = 0;
  while (readdir(dir) != nullptr) ++entries;
  closedir(dir);
  return entries;
}

TEST(IoDirectory, IsTheSpecsThenTheDaemonsThenTmp) {
  unsetenv("MUSTER_IO_DIR");
  EXPECT_EQ(IoDirectory(""), "/tmp");
  setenv("MUSTER_IO_DIR", "/var/tmp", 1);
  EXPECT_EQ(IoDirectory(""), "/var/tmp");
  EXPECT_EQ(IoDirectory("/data"), "/data");
  unsetenv("MUSTER_IO_DIR");
}

TEST(TemporaryFile, TakesWritesAndHasNoName) {
  const std::string directory = testing::TempDir();
  const int before = Entries(directory);
  absl::StatusOr<UniqueFd> file = OpenTemporaryFile(directory);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(pwrite(file->get(), "abc", 3, 0), 3);
  char back[3];
  EXPECT_EQ(pread(file->get(), back, 3, 0), 3);
  EXPECT_EQ(Entries(directory), before);
}

TEST(TemporaryFile, HasTheFlagsThatWereAskedFor) {
  absl::StatusOr<UniqueFd> file = OpenTemporaryFile(testing::TempDir(), O_SYNC);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(fcntl(file->get(), F_GETFL) & O_SYNC, O_SYNC);
  EXPECT_EQ(fcntl(file->get(), F_GETFD), FD_CLOEXEC);
}

TEST(TemporaryFile, ErrorNamesTheDirectory) {
  const absl::Status status = OpenTemporaryFile("/no/such/place").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/no/such/place"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace muster
