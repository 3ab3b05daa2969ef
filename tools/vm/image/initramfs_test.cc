#include "tools/vm/image/initramfs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace muster::vm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class InitramfsTest : public ::testing::Test {
 protected:
  InitramfsTest() : root_(std::filesystem::path(::testing::TempDir()) / "initramfs") {
    std::filesystem::create_directories(root_);
    options_.init = Put("init", "this is init");
    options_.musterd = Put("musterd", "this is musterd");
    options_.worker = Put("worker", "this is the worker");
  }
  ~InitramfsTest() override { std::filesystem::remove_all(root_); }
  std::string Put(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << content;
    return root_ / name;
  }
  const std::filesystem::path root_;
  ImageOptions options_;
};

TEST_F(InitramfsTest, HoldsInitOurProgramsAndNumberedModules) {
  Put("mods/kernel/virtio_net.ko", std::string("x\0depends=net_failover\0", 23));
  Put("mods/kernel/net_failover.ko", "y");
  Put("mods/kernel/unrelated.ko", "z");
  options_.modules = root_ / "mods";
  const auto image = BuildInitramfs(options_);
  ASSERT_TRUE(image.ok()) << image.status();
  for (const char* text : {"this is init", "bin/musterd", "this is musterd", "bin/muster-worker", "dev/console",
                           "modules/00-net_failover.ko", "modules/01-virtio_net.ko"}) {
    EXPECT_THAT(*image, HasSubstr(text));
  }
  EXPECT_THAT(*image, Not(HasSubstr("unrelated")));
}

TEST_F(InitramfsTest, WithoutAnInitMusterdIsIt) {
  options_.init = "";
  const auto image = BuildInitramfs(options_);
  ASSERT_TRUE(image.ok()) << image.status();
  // A link: name and target, each padded.
  EXPECT_THAT(*image, HasSubstr(std::string("init\0\0bin/musterd\0", 18)));
}

TEST_F(InitramfsTest, ExtraFilesAreThere) {
  options_.extra = {{"opt/tool", Put("tool", "extra tool")}};
  EXPECT_THAT(*BuildInitramfs(options_), HasSubstr("opt/tool"));
}

TEST_F(InitramfsTest, FilesOfASchedulerAreTakenAsTheyAre) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  options_.scheduler = {{"scheduler/bpftool", self}};
  const auto image = BuildInitramfs(options_);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT(*image, HasSubstr("scheduler/bpftool"));
  EXPECT_GT(image->size(), std::filesystem::file_size(self));
}

TEST_F(InitramfsTest, DynamicProgramIsRefusedByName) {
  options_.musterd = std::filesystem::read_symlink("/proc/self/exe");
  const auto image = BuildInitramfs(options_);
  EXPECT_EQ(image.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(image.status().message()), HasSubstr("linked dynamically"));
}

TEST_F(InitramfsTest, MissingProgramIsNotFound) {
  options_.worker = "/no/worker";
  EXPECT_EQ(BuildInitramfs(options_).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace muster::vm
