#include "tools/vm/run/guest_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace muster::vm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class GuestDirTest : public ::testing::Test {
 protected:
  GuestDirTest() : root_(::testing::TempDir() + "/guests") {}
  ~GuestDirTest() override { std::filesystem::remove_all(root_); }
  const std::string root_;
};

TEST_F(GuestDirTest, FolderGoesWithItsOwner) {
  std::string path;
  {
    const auto dir = GuestDir::Create(root_);
    ASSERT_TRUE(dir.ok()) << dir.status();
    path = dir->path();
    std::ofstream(path + "/image") << "x";
    EXPECT_THAT(*ListGuestDirs(root_), ElementsAre(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(GuestDirTest, FolderOfAKilledProgramIsSweptByTheNext) {
  ASSERT_TRUE(GuestDir::Create(root_).ok());
  std::filesystem::create_directories(root_ + "/guest.dead01");
  std::ofstream(root_ + "/guest.dead01/image") << "x";
  const auto dir = GuestDir::Create(root_);
  ASSERT_TRUE(dir.ok()) << dir.status();
  EXPECT_FALSE(std::filesystem::exists(root_ + "/guest.dead01"));
}

TEST_F(GuestDirTest, FolderStaysWhileSomebodyHoldsItsLock) {
  auto dir = GuestDir::Create(root_);
  ASSERT_TRUE(dir.ok()) << dir.status();
  const std::string path = dir->path();
  // As a kept guest has it.
  const UniqueFd inherited(dup(dir->lock_fd()));
  std::move(*dir).Release();
  { const GuestDir gone = *std::move(dir); }
  EXPECT_TRUE(GuestDir::Create(root_).ok());
  EXPECT_THAT(*ListGuestDirs(root_), ElementsAre(path));
}

TEST_F(GuestDirTest, RootThatOthersMayEnterIsRefused) {
  std::filesystem::create_directories(root_);
  chmod(root_.c_str(), 0777);
  EXPECT_EQ(GuestDir::Create(root_).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(GuestDirTest, EmptyRootHasNoGuests) { EXPECT_THAT(*ListGuestDirs(root_), IsEmpty()); }

}  // namespace
}  // namespace muster::vm
