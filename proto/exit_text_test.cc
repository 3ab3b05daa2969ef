#include "proto/exit_text.h"

#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"

namespace muster {
namespace {

std::string Describe(const std::string& text) {
  v1::ExitInfo exit_info;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &exit_info)) << text;
  return DescribeExit(exit_info);
}

TEST(ExitTextTest, EveryCauseHasItsWords) {
  EXPECT_EQ(Describe("exited { code: 3 }"), "exited with code 3");
  EXPECT_EQ(Describe("signaled { signal: 9 }"), "killed by signal 9");
  EXPECT_EQ(Describe("signaled { signal: 9 oom_killed: true }"), "killed by signal 9, out of memory");
  EXPECT_EQ(Describe("timed_out {}"), "timed out");
  EXPECT_EQ(Describe("timed_out { unreaped: true }"), "timed out, and is stuck in the kernel");
  EXPECT_EQ(Describe("wait_failed { error: 'ECHILD' }"), "could not be waited for: ECHILD");
  EXPECT_EQ(Describe("panicked { text: 'bad_alloc' }"), "panicked: bad_alloc");
  EXPECT_EQ(Describe(""), "ended without a cause");
}

TEST(ExitTextTest, SharedFateIsTold) {
  EXPECT_EQ(Describe("panicked { text: 'bad_alloc' } shared_fate: true"),
            "panicked: bad_alloc (with its whole process)");
}

}  // namespace
}  // namespace muster
