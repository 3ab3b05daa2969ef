#include "tools/vm/image/elf_strip.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "absl/time/time.h"
#include "base/file_io.h"
#include "tools/vm/support/cache.h"
#include "tools/vm/support/program.h"

namespace muster::vm {
namespace {

std::string OwnProgram() {
  const auto content = ReadFileAt(-100, "/proc/self/exe", size_t{1} << 30);
  EXPECT_TRUE(content.ok()) << content.status();
  return *content;
}

TEST(ElfStripTest, ProgramIsSmallerAndStillRuns) {
  const std::string program = OwnProgram();
  const std::string stripped = StripElf(program);
  EXPECT_LT(stripped.size(), program.size());
  const std::string path = ::testing::TempDir() + "/stripped";
  ASSERT_TRUE(WriteFileAtomically(path, stripped).ok());
  chmod(path.c_str(), 0755);
  const auto out = RunProgram({{path, "--gtest_list_tests"}, "", absl::Seconds(30)});
  unlink(path.c_str());
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_NE(out->find("ElfStripTest."), std::string::npos);
}

TEST(ElfStripTest, ProgramThatNeedsALoaderIsTold) { EXPECT_TRUE(NeedsLoader(OwnProgram())); }

TEST(ElfStripTest, OtherBytesAreLeftAlone) {
  EXPECT_EQ(StripElf("#!/bin/sh"), "#!/bin/sh");
  EXPECT_FALSE(NeedsLoader("#!/bin/sh"));
  std::string broken = OwnProgram().substr(0, 200);
  EXPECT_EQ(StripElf(broken), broken);
  const uint64_t far = ~uint64_t{0};
  std::memcpy(broken.data() + 32, &far, 8);
  EXPECT_EQ(StripElf(broken), broken);
}

TEST(ElfStripTest, DamagedHeadersAreReadWithoutHarm) {
  const std::string whole = OwnProgram().substr(0, 1000);
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string program = whole.substr(0, random() % (whole.size() + 1));
    for (int change = 0; change < 3 && !program.empty(); ++change) program[random() % program.size()] = random();
    EXPECT_LE(StripElf(program).size(), program.size());
    NeedsLoader(program);
  }
}

}  // namespace
}  // namespace muster::vm
