#include "tools/vm/scheduler/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::vm {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

auto Is(const std::string& name, const std::string& path) {
  return AllOf(Field(&Library::name, name), Field(&Library::path, path));
}

TEST(LoaderTest, LibrariesAndTheDynamicLoaderAreReadFromLdd) {
  const auto libraries = ParseLdd(
      "\tlinux-vdso.so.1 (0x00007fe949a36000)\n"
      "\tlibelf.so.1 => /lib/x86_64-linux-gnu/libelf.so.1 (0x00007fe94996c000)\n"
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007fe949a38000)\n");
  ASSERT_TRUE(libraries.ok()) << libraries.status();
  EXPECT_THAT(*libraries, ElementsAre(Is("libelf.so.1", "/lib/x86_64-linux-gnu/libelf.so.1"),
                                      Is("ld.so", "/lib64/ld-linux-x86-64.so.2")));
}

TEST(LoaderTest, AMissingLibraryIsNamed) {
  const auto libraries = ParseLdd("\tlibelf.so.1 => not found\n");
  EXPECT_EQ(libraries.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(libraries.status().message()), HasSubstr("libelf.so.1"));
}

TEST(LoaderTest, LibrariesOfARealProgramAreFound) {
  const auto shell = LibrariesOf("/bin/sh");
  ASSERT_TRUE(shell.ok()) << shell.status();
  EXPECT_THAT(*shell, Contains(Field(&Library::name, "ld.so")));
  EXPECT_THAT(*shell, Contains(Field(&Library::name, "libc.so.6")));
}

TEST(LoaderTest, LibbpfKnowsSchedExtFromItsFourthMinorVersionOn) {
  EXPECT_TRUE(KnowsSchedExt("bpftool v7.5.0\nusing libbpf v1.5\nfeatures:\n"));
  EXPECT_TRUE(KnowsSchedExt("bpftool v7.4.0\nusing libbpf v1.4\n"));
  EXPECT_TRUE(KnowsSchedExt("bpftool v9.0.0\nusing libbpf v2.0\n"));
  EXPECT_FALSE(KnowsSchedExt("bpftool v7.1.0\nusing libbpf v1.1\n"));
  EXPECT_FALSE(KnowsSchedExt("bpftool v7.1.0\n"));
  EXPECT_FALSE(KnowsSchedExt("using libbpf vX.Y"));
  EXPECT_FALSE(KnowsSchedExt(""));
}

}  // namespace
}  // namespace muster::vm
