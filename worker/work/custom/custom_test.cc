#include "gtest/gtest.h"
#include "worker/core/function.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

void CountConfig(FunctionContext& context) {
  for (size_t i = 0; i < context.config().size(); ++i) {
    context.AddUnits(7);
    context.CostSample(100);
    context.EndIteration();
  }
}
MUSTER_REGISTER_FUNCTION("count_config", CountConfig);

std::string Error(const std::string& custom) {
  const absl::Status status = FindWorkType(v1::Work::kCustom)->Validate(ResolvedWork("custom { " + custom + " }"));
  return std::string(status.message().data(), status.message().size());
}

TEST(CustomTest, AFunctionCountsItsOwnTelemetryAndItsReturnEndsTheWork) {
  GroupFixture group("custom { function { name: \"count_config\" config: \"abc\" } }");
  EXPECT_NE(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).iterations(), 3u) << "the call is no iteration of its own";
  EXPECT_EQ(group.meter(0).work_units(), 21u);
  EXPECT_EQ(group.record(0).store(arena::kCost).head->total.load(), 3u);
}

TEST(CustomTest, ItsCatalogueEntryListsTheFunctions) {
  const std::vector<std::string> functions = FindWorkType(v1::Work::kCustom)->Describe().functions;
  EXPECT_EQ(functions, std::vector<std::string>{"count_config"});
}

TEST(CustomTest, RefusesWhatItCannotRunAndNamesTheField) {
  EXPECT_EQ(Error(""), "form: none is set; choose program or function");
  EXPECT_EQ(Error("function { name: \"nope\" }"),
            "function.name: no function nope is linked into this worker; it has count_config");
  EXPECT_EQ(Error("program {}"), "program.path: it is empty; give an absolute path");
  EXPECT_EQ(Error("program { path: \"bin/x\" }"), "program.path: bin/x is not absolute");
  EXPECT_EQ(Error("program { path: \"/bin/x\" env: \"A\" }"), "program.env[0]: A is not NAME=value");
  EXPECT_EQ(Error("program { path: \"/bin/x\" env: \"A=b\" }"), "");
}

TEST(CustomTest, AProgramFillsNoStream) {
  const WorkType& type = *FindWorkType(v1::Work::kCustom);
  EXPECT_EQ(type.Streams(ResolvedWork("custom { program { path: \"/bin/true\" } }")), kNoSamples);
  EXPECT_NE(type.Streams(ResolvedWork("custom { function { name: \"count_config\" } }")), kNoSamples);
}

}  // namespace
}  // namespace muster
