#include "tools/vm/kernel/modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/time/time.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string FakeKo(const std::string& depends) {
  std::string ko =
      "\x7f"
      "ELF";
  ko += '\0';
  return ko + "license=GPL" + '\0' + "depends=" + depends + '\0' + "name=x" + '\0';
}

void WriteFileTo(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

TEST(ModulesTest, NamesAreOneWhateverTheFileIsCalled) {
  EXPECT_EQ(ModuleName("virtio-net.ko.xz"), "virtio_net");
  EXPECT_EQ(ModuleName("virtio_net"), "virtio_net");
}

TEST(ModulesTest, DependenciesAreReadFromModinfo) {
  EXPECT_THAT(ModuleDependencies(FakeKo("virtio_ring,net-failover")), ElementsAre("virtio_ring", "net_failover"));
  EXPECT_THAT(ModuleDependencies(FakeKo("")), IsEmpty());
  EXPECT_THAT(ModuleDependencies("no modinfo"), IsEmpty());
}

TEST(ModulesTest, WhatIsNeededComesFirstAndOnce) {
  const DependencyMap map = {
      {"net", {"ring", "failover"}}, {"failover", {"core"}}, {"core", {}}, {"ring", {}}, {"vsock", {"ring"}}};
  EXPECT_THAT(*OrderModules({"net", "vsock"}, map), ElementsAre("ring", "core", "failover", "net", "vsock"));
}

TEST(ModulesTest, UnknownNameIsBuiltIn) {
  EXPECT_THAT(*OrderModules({"virtio_pci", "a"}, {{"a", {"virtio"}}}), ElementsAre("a"));
}

TEST(ModulesTest, CircleIsNamed) {
  const auto order = OrderModules({"a"}, {{"a", {"b"}}, {"b", {"a"}}});
  EXPECT_THAT(std::string(order.status().message()), HasSubstr("a needs b needs a"));
}

TEST(ModulesTest, CompressedFilesAreReadWithWhatTheyNeed) {
  const std::filesystem::path root = std::filesystem::path(::testing::TempDir()) / "modules";
  WriteFileTo(root / "kernel/net/core.ko", FakeKo(""));
  const absl::StatusOr<std::string> packed = RunProgram({{"xz", "-c"}, FakeKo("core"), absl::Seconds(30)});
  WriteFileTo(root / "kernel/drivers/top-level.ko.xz", *packed);
  const auto modules = LoadModules(root, {"top_level", "built_in"});
  ASSERT_TRUE(modules.ok()) << modules.status();
  ASSERT_EQ(modules->size(), 2u);
  EXPECT_EQ((*modules)[0].name, "core");
  EXPECT_EQ((*modules)[1].name, "top_level");
  EXPECT_EQ((*modules)[1].content, FakeKo("core"));
  std::filesystem::remove_all(root);
}

TEST(ModulesTest, ModuleThatTheFolderListsAndHasNotIsNamed) {
  const std::filesystem::path root = std::filesystem::path(::testing::TempDir()) / "modules";
  WriteFileTo(root / "kernel/net/core.ko", FakeKo(""));
  WriteFileTo(root / "modules.order", "kernel/net/core.ko\nkernel/net/virtio-net.ko\n");
  const auto missing = LoadModules(root, {"core", "virtio_net", "built_in"});
  EXPECT_TRUE(absl::IsNotFound(missing.status()));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("kernel/net/virtio-net.ko"));
  // Where depmod has been, its list counts: it has left out what was not there.
  WriteFileTo(root / "modules.dep", "kernel/net/core.ko:\n");
  EXPECT_TRUE(LoadModules(root, {"core", "virtio_net"}).ok());
  WriteFileTo(root / "modules.dep",
              "kernel/net/core.ko: kernel/net/x.ko\nkernel/net/virtio-net.ko.xz: kernel/net/core.ko\n");
  EXPECT_THAT(std::string(LoadModules(root, {"virtio_net"}).status().message()), HasSubstr("virtio-net.ko.xz"));
  std::filesystem::remove_all(root);
}

TEST(ModulesTest, KernelWithoutModulesNeedsNone) {
  EXPECT_THAT(*LoadModules("/does/not/exist", {"virtio_net"}), IsEmpty());
}

}  // namespace
}  // namespace muster::vm
