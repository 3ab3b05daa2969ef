#include "tools/cli/spec_file.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(SpecFileTest, TextProtoIsRead) {
  const absl::StatusOr<v1::WorkloadSpec> spec = ParseSpec("num_workers: 2 work { pipe_io { burst_iters: 512 } }", "x");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->work().pipe_io().burst_iters(), 512u);
}

TEST(SpecFileTest, EmptyTextIsTheDefaultWorkload) { EXPECT_TRUE(ParseSpec("# nothing\n", "x").ok()); }

TEST(SpecFileTest, MistakeIsShownWithFileLineAndColumn) {
  EXPECT_EQ(ParseSpec("# spec\nnum_workers: two\n", "a/b.txtpb").status(),
            absl::InvalidArgumentError("a/b.txtpb:2:14: Expected integer, got: two"));
}

TEST(SpecFileTest, UnknownFieldIsNamedInItsPlace) {
  const absl::Status status = ParseSpec("work {\n  spin_weight {}\n}\n", "s").status();
  EXPECT_EQ(std::string(status.message()).rfind("s:2:", 0), 0u) << status;
  EXPECT_NE(status.message().find("spin_weight"), absl::string_view::npos) << status;
}

TEST(SpecFileTest, EveryMistakeHasALineOfItsOwn) {
  const absl::Status status = ParseSpec("nice: 99999999999\ncomm: 3\n", "s").status();
  EXPECT_EQ(std::string(status.message()).rfind("s:1:", 0), 0u) << status;
}

TEST(SpecFileTest, MissingFileIsNotFoundAndNamed) {
  const absl::Status status = ReadSpecFile("/no/such.txtpb").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("/no/such.txtpb"), absl::string_view::npos);
}

}  // namespace
}  // namespace muster
