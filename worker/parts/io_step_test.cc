#include "worker/parts/io_step.h"

#include <gtest/gtest.h>

#include <vector>

#include "worker/meter/meter_fixture.h"

namespace muster {
namespace {

constexpr uint64_t kCapacity = 1 << 20;

std::vector<uint64_t> Offsets(uint64_t seed) {
  MeterFixture record({.stream_set = kNoSamples}, seed);
  Meter meter(record.target());
  IoTarget target;
  target.capacity = kCapacity;
  std::vector<uint64_t> offsets;
  for (int i = 0; i < 1000; ++i) offsets.push_back(RandomBlockOffset(target, meter));
  return offsets;
}

TEST(IoStepTest, TheSeedFixesTheOffsets) {
  EXPECT_EQ(Offsets(7), Offsets(7));
  EXPECT_NE(Offsets(7), Offsets(8));
}

TEST(IoStepTest, OffsetsAreOfSectorsWithAWholeBlockBehind) {
  for (const uint64_t offset : Offsets(7)) {
    EXPECT_EQ(offset % 512, 0u);
    EXPECT_LE(offset + kIoBlockBytes, kCapacity);
  }
}

}  // namespace
}  // namespace muster
