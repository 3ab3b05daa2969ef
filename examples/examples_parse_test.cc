// Every example is a spec, and the C++ example runs through, without a machine to run them on.
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "tests/support/fake_muster.h"
#include "tests/support/program_run.h"
#include "tools/cli/spec_file.h"

namespace muster {
namespace {

TEST(ExamplesParseTest, EverySpecIsReadAndSaysHowLongItRuns) {
  int specs = 0;
  for (const auto& entry : std::filesystem::directory_iterator("examples")) {
    if (entry.path().extension() != ".txtpb") continue;
    ++specs;
    const absl::StatusOr<v1::WorkloadSpec> spec = ReadSpecFile(entry.path().string());
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_TRUE(spec->has_duration()) << entry.path();
  }
  EXPECT_GE(specs, 9);
}

TEST(ExamplesParseTest, MinimalProgramPlacesStartsAndCollects) {
  FakeMuster fake;
  const ProgramResult result = RunProgram("examples/cpp/minimal", {fake.address()});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_output, "worker 3 in ")) << result.standard_output;
  for (const char* call :
       {"CreateCgroup cg0", "Place p1", "Start p1", "StopAndCollect p1 from 0", "RemoveCgroup cg0"}) {
    EXPECT_EQ(fake.Count(call), 1) << call;
  }
}

}  // namespace
}  // namespace muster
