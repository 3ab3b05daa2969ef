#include "tools/cli/report_sink.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "base/file_io.h"
#include "tests/support/json_object.h"

namespace muster {
namespace {

v1::WorkerReport Report(uint32_t index) {
  v1::WorkerReport report;
  report.set_worker_index(index);
  return report;
}

std::string ReadBack(FILE* file) {
  rewind(file);
  std::string text(100'000, '\0');
  text.resize(fread(text.data(), 1, text.size(), file));
  return text;
}

TEST(JsonSinkTest, ResultIsOneObjectOfTheThreeParts) {
  FILE* const output = tmpfile();
  {
    absl::StatusOr<std::unique_ptr<ReportSink>> sink = JsonSink::Open(output);
    ASSERT_TRUE(sink.ok()) << sink.status();
    v1::WorkloadSpec spec;
    spec.set_num_workers(2);
    ASSERT_TRUE((*sink)->Begin(spec).ok());
    ASSERT_TRUE((*sink)->Add(Report(0)).ok());
    ASSERT_TRUE((*sink)->Add(Report(1)).ok());
    EXPECT_EQ(ReadBack(output), "") << "nothing may be printed before the end";
    ASSERT_TRUE((*sink)->Finish(v1::PoolSummary(), ReportSummary()).ok());
  }
  const google::protobuf::Struct object = ParseJsonObject(ReadBack(output));
  EXPECT_EQ(JsonFieldCount(object), 3);
  EXPECT_EQ(JsonField(JsonField(object, "resolvedSpec").struct_value(), "numWorkers").number_value(), 2);
  EXPECT_EQ(JsonField(object, "reports").list_value().values_size(), 2);
  EXPECT_TRUE(JsonField(object, "summary").has_struct_value());
  fclose(output);
}

TEST(JsonSinkTest, WhatSomebodyAddsFollowsTheSummary) {
  FILE* const output = tmpfile();
  absl::StatusOr<std::unique_ptr<ReportSink>> sink = JsonSink::Open(output, [] { return R"("more":{"a":1})"; });
  ASSERT_TRUE((*sink)->Begin(v1::WorkloadSpec()).ok());
  ASSERT_TRUE((*sink)->Finish(v1::PoolSummary(), ReportSummary()).ok());
  const google::protobuf::Struct object = ParseJsonObject(ReadBack(output));
  EXPECT_EQ(JsonFieldCount(object), 4);
  EXPECT_EQ(JsonField(JsonField(object, "more").struct_value(), "a").number_value(), 1);
  fclose(output);
}

TEST(JsonSinkTest, ZeroIsPrintedAndNotMeasuredIsLeftOut) {
  FILE* const output = tmpfile();
  absl::StatusOr<std::unique_ptr<ReportSink>> sink = JsonSink::Open(output);
  ASSERT_TRUE((*sink)->Begin(v1::WorkloadSpec()).ok());
  ASSERT_TRUE((*sink)->Add(Report(0)).ok());
  ASSERT_TRUE((*sink)->Finish(v1::PoolSummary(), ReportSummary()).ok());
  const std::string json = ReadBack(output);
  EXPECT_TRUE(absl::StrContains(json, "\"workUnits\":\"0\"")) << json;
  EXPECT_FALSE(absl::StrContains(json, "schedstatRunCount")) << json;
  fclose(output);
}

class DirectorySinkTest : public testing::Test {
 protected:
  DirectorySinkTest() {
    char pattern[] = "/tmp/muster_sink.XXXXXX";
    root_ = mkdtemp(pattern);
  }
  ~DirectorySinkTest() override { std::filesystem::remove_all(root_); }

  std::string root_;
};

TEST_F(DirectorySinkTest, EveryReportHasItsFile) {
  absl::StatusOr<std::unique_ptr<ReportSink>> sink = DirectorySink::Open(root_ + "/out");
  ASSERT_TRUE(sink.ok()) << sink.status();
  ASSERT_TRUE((*sink)->Begin(v1::WorkloadSpec()).ok());
  ASSERT_TRUE((*sink)->Add(Report(0)).ok());
  ASSERT_TRUE((*sink)->Add(Report(12)).ok());
  ASSERT_TRUE((*sink)->Finish(v1::PoolSummary(), ReportSummary()).ok());
  for (const char* name : {"resolved_spec.json", "worker-00000.json", "worker-00012.json", "summary.json"}) {
    EXPECT_TRUE(absl::StartsWith(*ReadFile(root_ + "/out/" + name), "{")) << name;
  }
  EXPECT_TRUE(absl::StartsWith(*ReadFile(root_ + "/out/stats.txt"), "--- stats ---\n"));
}

TEST_F(DirectorySinkTest, ReportsOfARunThatDidNotEndAreMarked) {
  const std::string mark = root_ + "/out/INCOMPLETE";
  absl::StatusOr<std::unique_ptr<ReportSink>> sink = DirectorySink::Open(root_ + "/out");
  ASSERT_TRUE(sink.ok()) << sink.status();
  ASSERT_TRUE((*sink)->Begin(v1::WorkloadSpec()).ok());
  ASSERT_TRUE((*sink)->Add(Report(0)).ok());
  EXPECT_TRUE(std::filesystem::exists(mark));
  EXPECT_TRUE(absl::StartsWith(*ReadFile(root_ + "/out/worker-00000.json"), "{"));
  ASSERT_TRUE((*sink)->Finish(v1::PoolSummary(), ReportSummary()).ok());
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST_F(DirectorySinkTest, DirectoryThatHoldsSomethingIsRefused) {
  std::ofstream(root_ + "/worker-00000.json") << "of another run";
  EXPECT_TRUE(absl::StrContains(DirectorySink::Open(root_).status().message(), "not empty"));
}

TEST_F(DirectorySinkTest, ParentThatIsNotThereIsNamed) {
  const absl::Status status = DirectorySink::Open(root_ + "/a/b").status();
  EXPECT_TRUE(absl::StrContains(status.message(), root_ + "/a/b")) << status;
}

}  // namespace
}  // namespace muster
