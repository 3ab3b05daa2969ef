#include "daemon/pool/catalogue.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace muster {
namespace {

v1::Catalogue TwoTypes() {
  v1::Catalogue catalogue;
  v1::WorkTypeInfo* pipe = catalogue.add_work_types();
  pipe->set_field("pipe_io");
  pipe->add_streams(v1::WAKE);
  v1::WorkTypeInfo* timer = catalogue.add_work_types();
  timer->set_field("timer_latency");
  timer->add_streams(v1::TIMER);
  return catalogue;
}

TEST(CatalogueTest, StreamsAreBitsOfTheArena) {
  const Catalogue catalogue(TwoTypes());
  v1::Work work;
  work.mutable_pipe_io();
  EXPECT_EQ(*catalogue.StreamsOf(work), 1u);
  work.mutable_timer_latency();
  EXPECT_EQ(*catalogue.StreamsOf(work), 4u);
}

TEST(CatalogueTest, ATypeThatTheBinaryLacksIsNamed) {
  const Catalogue catalogue(TwoTypes());
  v1::Work work;
  work.mutable_mixed();
  const absl::Status status = catalogue.StreamsOf(work).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "mixed")) << status;
}

TEST(CatalogueTest, ABinaryThatIsNoWorkerIsNamed) {
  for (const char* binary : {"/bin/true", "/bin/false", "/nonexistent/worker"}) {
    const absl::Status status = Catalogue::Read(binary, Deadline::After(absl::Seconds(30))).status();
    EXPECT_FALSE(status.ok());
    EXPECT_TRUE(absl::StrContains(status.message(), binary)) << status;
  }
}

TEST(CatalogueTest, ABinaryThatDoesNotAnswerIsGivenUp) {
  // Arguments make `yes` write without end: longer than any catalogue.
  EXPECT_FALSE(Catalogue::Read("/usr/bin/yes", Deadline::After(absl::Seconds(30))).ok());
}

}  // namespace
}  // namespace muster
