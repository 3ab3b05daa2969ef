// Instructions are the same on a quiet machine and on a busy one, so that this can stand in CI: what runs in a worker's
// loop may take 5 % more of them than instruction_bounds.txt says, and no more. After a change that is worth it, put
// the numbers that the failure prints there.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/spawn_process.h"
#include "gtest/gtest.h"

namespace muster {
namespace {

constexpr char kValgrind[] = "/usr/bin/valgrind";
constexpr double kSlack = 1.05;
constexpr int kFew = 200;
constexpr int kMany = 1'200;

std::string Contents(int fd) {
  std::string text;
  char bytes[4096];
  for (ssize_t got = 0; (got = pread(fd, bytes, sizeof(bytes), static_cast<off_t>(text.size()))) > 0;) {
    text.append(bytes, static_cast<size_t>(got));
  }
  return text;
}

// Instructions of the program with these arguments, as callgrind says at its end: "Collected : N".
void Count(const std::string& path, int times, int64_t* instructions) {
  const UniqueFd log(memfd_create("callgrind", MFD_CLOEXEC));
  SpawnOptions options;
  options.program = kValgrind;
  options.arguments = {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", getenv("MUSTER_HOT_PATHS"),
                       path,       absl::StrCat(times)};
  options.descriptors = {{STDOUT_FILENO, log.get()}, {STDERR_FILENO, log.get()}};
  const absl::StatusOr<SpawnedProcess> process = SpawnProcess(options);
  ASSERT_TRUE(process.ok()) << process.status();
  const absl::StatusOr<ProcessEnd> end = process->pidfd.Reap(Deadline::After(absl::Minutes(5)));
  const std::string text = Contents(log.get());
  ASSERT_TRUE(end.ok() && end->ok()) << text;
  const size_t at = text.find("Collected : ");
  ASSERT_NE(at, std::string::npos) << text;
  const std::string rest = text.substr(at + 12);
  ASSERT_TRUE(absl::SimpleAtoi(rest.substr(0, rest.find('\n')), instructions)) << text;
}

class InstructionBoundsTest : public testing::TestWithParam<const char*> {
 protected:
  // The committed number of instructions of one pass.
  double Bound() const {
    std::ifstream file(getenv("MUSTER_BOUNDS"));
    std::string name;
    for (double bound = 0; file >> name >> bound;) {
      if (name == GetParam()) return bound;
    }
    return 0;
  }
};

TEST_P(InstructionBoundsTest, APassTakesNoMoreInstructionsThanCommitted) {
  int64_t few = 0, many = 0;
  ASSERT_NO_FATAL_FAILURE(Count(GetParam(), kFew, &few));
  ASSERT_NO_FATAL_FAILURE(Count(GetParam(), kMany, &many));
  const double per_pass = static_cast<double>(many - few) / (kMany - kFew);
  printf("%s %.1f instructions\n", GetParam(), per_pass);
  EXPECT_LE(per_pass, Bound() * kSlack) << GetParam() << " takes " << per_pass << " instructions; the bound is "
                                        << Bound() << ", with " << (kSlack - 1) * 100 << " % slack";
}

INSTANTIATE_TEST_SUITE_P(HotPaths, InstructionBoundsTest,
                         testing::Values("step", "checkpoint", "reservoir", "histogram", "report"),
                         [](const auto& path) { return std::string(path.param); });

}  // namespace
}  // namespace muster
