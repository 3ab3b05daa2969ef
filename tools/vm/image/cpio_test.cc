#include "tools/vm/image/cpio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <vector>

namespace muster::vm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Parsed {
  std::string name;
  uint32_t mode;
  std::string content;
  uint32_t major;
};

uint32_t Hex(const std::string& archive, size_t at) { return strtoul(archive.substr(at, 8).c_str(), nullptr, 16); }

// Reads the archive as the kernel does (init/initramfs.c): 110-byte headers, name and data each padded to 4.
std::vector<Parsed> Parse(const std::string& archive) {
  std::vector<Parsed> entries;
  size_t at = 0;
  while (at + 110 <= archive.size() && archive.substr(at, 6) == "070701") {
    const uint32_t name_size = Hex(archive, at + 94);
    const uint32_t size = Hex(archive, at + 54);
    const size_t data = (at + 110 + name_size + 3) / 4 * 4;
    entries.push_back({archive.substr(at + 110, name_size - 1), Hex(archive, at + 14), archive.substr(data, size),
                       Hex(archive, at + 78)});
    at = (data + size + 3) / 4 * 4;
  }
  EXPECT_EQ(at, archive.size());
  return entries;
}

TEST(CpioTest, EntriesComeBackInOrderWithTheTrailerLast) {
  CpioWriter writer;
  ASSERT_TRUE(writer.AddDirectory("proc", 0555).ok());
  ASSERT_TRUE(writer.AddFile("bin/musterd", 0755, "12345").ok());
  ASSERT_TRUE(writer.AddCharDevice("dev/console", 0600, {5, 1}).ok());
  const std::vector<Parsed> entries = Parse(std::move(writer).Finish());
  ASSERT_EQ(entries.size(), 6u);
  EXPECT_EQ(entries[0].name, "proc");
  EXPECT_EQ(entries[0].mode, 040555u);
  EXPECT_EQ(entries[1].name, "bin");
  EXPECT_EQ(entries[2].name, "bin/musterd");
  EXPECT_EQ(entries[2].mode, 0100755u);
  EXPECT_EQ(entries[2].content, "12345");
  EXPECT_EQ(entries[4].name, "dev/console");
  EXPECT_EQ(entries[4].mode, 020600u);
  EXPECT_EQ(entries[4].major, 5u);
  EXPECT_EQ(entries[5].name, "TRAILER!!!");
}

TEST(CpioTest, LinkHoldsItsTarget) {
  CpioWriter writer;
  ASSERT_TRUE(writer.AddSymlink("init", "bin/musterd").ok());
  const std::vector<Parsed> entries = Parse(std::move(writer).Finish());
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].mode, 0120777u);
  EXPECT_EQ(entries[0].content, "bin/musterd");
}

TEST(CpioTest, FolderOnTheWayIsAddedOnce) {
  CpioWriter writer;
  ASSERT_TRUE(writer.AddFile("a/b/one", 0644, "").ok());
  ASSERT_TRUE(writer.AddFile("a/b/two", 0644, "").ok());
  std::vector<std::string> names;
  for (const Parsed& entry : Parse(std::move(writer).Finish())) names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("a", "a/b", "a/b/one", "a/b/two", "TRAILER!!!"));
}

TEST(CpioTest, BadPathsAreRefused) {
  CpioWriter writer;
  for (const char* path : {"", "/init", "../x", "a//b", "a/./b"}) {
    EXPECT_EQ(writer.AddFile(path, 0644, "").code(), absl::StatusCode::kInvalidArgument) << path;
  }
  ASSERT_TRUE(writer.AddFile("init", 0755, "").ok());
  EXPECT_THAT(std::string(writer.AddFile("init", 0755, "").message()), HasSubstr("there already"));
}

TEST(CpioTest, SameInputGivesSameBytes) {
  const auto make = [] {
    CpioWriter writer;
    writer.AddFile("init", 0755, "x").IgnoreError();
    return std::move(writer).Finish();
  };
  EXPECT_EQ(make(), make());
}

}  // namespace
}  // namespace muster::vm
