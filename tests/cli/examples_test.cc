// Every example runs well on a machine like this.
#include <gtest/gtest.h>
#include <sched.h>

#include "base/test_run.h"
#include "tests/cli/embedded_test.h"
#include "tests/support/json_object.h"

namespace muster {
namespace {

std::vector<std::string> Specs() {
  std::vector<std::string> specs;
  for (const auto& entry : std::filesystem::directory_iterator("examples")) {
    if (entry.path().extension() == ".txtpb") specs.push_back(entry.path().stem());
  }
  return specs;
}

// False where the version 1 cpu cgroup that we are in has no budget for real-time tasks.
bool MayBeRealTime() {
  const sched_param low = {.sched_priority = 1};
  const sched_param none = {};
  if (sched_setscheduler(0, SCHED_FIFO, &low) != 0) return false;
  return sched_setscheduler(0, SCHED_OTHER, &none) == 0;
}

// What a run brings back. The thread sanitizer restores a stack for each suppressed access of gRPC, which takes longer
// for the megabytes of the samples than keepalive waits.
std::vector<std::string> RunOf(const std::string& example) {
  std::vector<std::string> args = {"run", absl::StrCat("examples/", example, ".txtpb")};
  if (kUnderTsan) args.push_back("--without-samples");
  return args;
}

class ExampleTest : public EmbeddedTest, public testing::WithParamInterface<std::string> {};

TEST_P(ExampleTest, RunsAndIsGood) {
  if (GetParam() == "realtime" && !MayBeRealTime()) GTEST_SKIP() << "the cgroup of this test allows no real-time tasks";
  const ProgramResult result = Muster(RunOf(GetParam()));
  EXPECT_EQ(result.exit_code, 0) << result.standard_output << result.standard_error;
  EXPECT_TRUE(absl::StrContains(result.standard_output, "--- stats ---\n")) << result.standard_output;
  EXPECT_FALSE(absl::StrContains(result.standard_output, "note: ")) << "setup failed: " << result.standard_output;
}

INSTANTIATE_TEST_SUITE_P(All, ExampleTest, testing::ValuesIn(Specs()), [](const auto& spec) { return spec.param; });

using ExamplesTest = EmbeddedTest;

TEST_F(ExamplesTest, PipePairsAreJudgedPerCgroup) {
  std::vector<std::string> args = RunOf("pipe_pairs_two_cgroups");
  args.insert(args.end(), {"--duration", "500ms"});
  const ProgramResult result = Muster(args);
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  const std::string stats = result.standard_output.substr(result.standard_output.find("--- stats ---"));
  EXPECT_TRUE(absl::StartsWith(stats, "--- stats ---\n4 workers, ")) << stats;
  EXPECT_TRUE(absl::StrContains(stats, "\ncg0: workers=2 cpus=")) << stats;
  EXPECT_TRUE(absl::StrContains(stats, "\ncg1: workers=2 cpus=")) << stats;
}

TEST_F(ExamplesTest, WorkersOfThePairsSawTheirOwnCgroupFromTheFirstInstruction) {
  const ProgramResult result =
      Muster({"run", "examples/pipe_pairs_two_cgroups.txtpb", "--duration", "200ms", "--json", "--without-samples"});
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  const google::protobuf::Struct object = ParseJsonObject(result.standard_output);
  const auto& reports = JsonField(object, "reports").list_value().values();
  ASSERT_EQ(reports.size(), 4);
  for (const auto& value : reports) {
    const google::protobuf::Struct& report = value.struct_value();
    const std::string own = JsonField(report, "groupIdx").number_value() == 0 ? "/cg0" : "/cg1";
    const std::string& at_start = JsonField(report, "cgroupAtStart").string_value();
    EXPECT_TRUE(absl::EndsWith(at_start, own)) << value.DebugString();
    EXPECT_EQ(JsonField(report, "cgroupAtEnd").string_value(), at_start);
  }
}

}  // namespace
}  // namespace muster
