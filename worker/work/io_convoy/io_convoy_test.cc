#include <fcntl.h>
#include <stdlib.h>

#include "gtest/gtest.h"
#include "worker/core/group_fixture.h"

namespace muster {
namespace {

const WorkType& Type() { return *FindWorkType(v1::Work::kIoConvoy); }

TEST(IoConvoyTest, CountsItsBlocksAndSamplesItsWaits) {
  GroupFixture group("io_convoy { file_kib: 256 }");
  for (int i = 0; i < 40; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).work_units(), 40u * 2);
  EXPECT_EQ(group.record(0).store(arena::kWake).head->total.load(), 40u);
  EXPECT_STREQ(group.record(0).control().noop_reason.bytes, "");
}

TEST(IoConvoyTest, ADirectoryThatIsNotThereLeavesItMarkingTimeAndSayingWhy) {
  GroupFixture group("io_convoy { directory: \"/no/such/place\" }");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(group.RunOnce(0), StepResult::kContinue);
  EXPECT_EQ(group.meter(0).iterations(), 3u);
  EXPECT_EQ(group.meter(0).work_units(), 0u);
  EXPECT_NE(std::string(group.record(0).control().noop_reason.bytes).find("/no/such/place"), std::string::npos);
}

TEST(IoConvoyTest, ADeviceIsRefusedUnlessTheDaemonAllowsDevices) {
  unsetenv("MUSTER_ALLOW_BLOCK_DEVICES");
  const absl::Status refused = Type().Validate(ResolvedWork("io_convoy { device: \"/dev/no-such-device\" }"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("--allow-block-devices"), absl::string_view::npos) << refused;
  setenv("MUSTER_ALLOW_BLOCK_DEVICES", "1", 1);
  EXPECT_TRUE(Type().Validate(ResolvedWork("io_convoy { device: \"/dev/no-such-device\" }")).ok());
  EXPECT_FALSE(Type().Validate(ResolvedWork("io_convoy { device: \"no-such-device\" }")).ok());
  unsetenv("MUSTER_ALLOW_BLOCK_DEVICES");
}

}  // namespace
}  // namespace muster
